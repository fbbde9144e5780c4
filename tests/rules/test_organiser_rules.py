"""The security rules for organisers: what the claim allows, and denies to everyone else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stack.clients.firestore_rest import Firestore
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer, new_order_id, new_traceparent

DENIED = 403

STARTS_AT = datetime(2030, 1, 1, 20, tzinfo=UTC)
SHOW = {
    "title": "A Test in Three Acts",
    "venue": "Studio",
    "city": "Delft",
    "blurb": "For one night only.",
    "starts_at": STARTS_AT,
    "price_cents": 1000,
    "currency": "EUR",
    "seats_total": 10,
    "seats_left": 10,
    "rank": 99,
}


@pytest.fixture
def new_show_id(box_office: BoxOffice) -> Iterator[str]:
    """An unused show id; a show created under it is removed after the test."""
    show_id = f"test-{secrets.token_hex(6)}"
    yield show_id
    box_office.close_show(show_id)


def create_show(person: Firestore, show_id: str, **changes: Any) -> int:
    """Try to create a show with `changes`, where None omits a field; return the HTTP status."""
    show = {key: value for key, value in {**SHOW, **changes}.items() if value is not None}
    return person.create(f"shows/{show_id}", show).status_code


@pytest.mark.parametrize(
    "trace", [None, {"traceparent": new_traceparent()}], ids=["untraced", "traced"]
)
def test_an_organiser_can_create_a_show(organiser: Buyer, new_show_id: str, trace: object) -> None:
    assert create_show(organiser.documents, new_show_id, _trace=trace) == 200


@pytest.mark.parametrize("before", [timedelta(0), timedelta(hours=3)])
def test_a_sale_may_end_before_or_when_the_show_begins(
    organiser: Buyer, new_show_id: str, before: timedelta
) -> None:
    ends_at = STARTS_AT - before
    assert create_show(organiser.documents, new_show_id, sale_ends_at=ends_at) == 200


def test_buyers_and_visitors_cannot_create_a_show(
    addresses: Addresses, buyer: Buyer, new_show_id: str
) -> None:
    visitor = Firestore(addresses.firestore, addresses.project, token=None)
    assert create_show(buyer.documents, new_show_id) == DENIED
    assert create_show(visitor, new_show_id) == DENIED
    visitor.close()


@pytest.mark.parametrize(
    "changes",
    [
        *({key: None} for key in SHOW),
        {"title": ""},
        {"title": 7},
        {"title": "x" * 121},
        {"blurb": "x" * 501},
        {"starts_at": "tomorrow"},
        {"sale_ends_at": "tomorrow"},
        {"sale_ends_at": STARTS_AT + timedelta(seconds=1)},
        {"price_cents": 0},
        {"price_cents": 9.5},
        {"price_cents": 1_000_001},
        {"currency": "USD"},
        {"seats_total": 0, "seats_left": 0},
        {"seats_total": 100_001, "seats_left": 100_001},
        {"seats_left": 9},
        {"seats_left": 10.0},
        {"rank": "first"},
        {"note": "an extra field"},
        {"_trace": "00-…"},
        {"_trace": {"traceparent": "nonsense"}},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_show_has_exactly_its_fields(
    organiser: Buyer, new_show_id: str, changes: dict[str, Any]
) -> None:
    """A missing or unknown field, a wrong type and a value out of range are each denied."""
    assert create_show(organiser.documents, new_show_id, **changes) == DENIED


@pytest.mark.parametrize("show_id", ["Upper", "under_score", "x" * 65])
def test_a_shows_id_has_the_form_that_an_order_requires(organiser: Buyer, show_id: str) -> None:
    """It has up to 64 lowercase letters, digits and hyphens."""
    assert create_show(organiser.documents, show_id) == DENIED


def test_an_organiser_cannot_change_or_delete_a_show(
    organiser: Buyer, open_show: Callable[..., str]
) -> None:
    """Only the functions change the stock."""
    show = f"shows/{open_show(seats=3)}"
    assert organiser.documents.update(show, {"seats_left": 99}).status_code == DENIED
    assert organiser.documents.delete(show).status_code == DENIED


def test_an_organiser_reads_all_orders_and_tickets_and_changes_none(
    organiser: Buyer, buyer: Buyer, box_office: BoxOffice, open_show: Callable[..., str]
) -> None:
    order_id = buyer.place(show_id=open_show(seats=0))
    box_office.wait_for(order_id)
    ticket = f"tickets/{order_id}-1"
    box_office.documents.create(ticket, {"uid": buyer.uid, "code": "X"}).raise_for_status()
    assert organiser.documents.get(f"orders/{order_id}").status_code == 200
    assert organiser.documents.get(ticket).status_code == 200
    assert organiser.documents.query("orders").status_code == 200
    assert organiser.documents.query("tickets", buyer.uid).status_code == 200
    response = organiser.documents.update(f"orders/{order_id}", {"state": "ticketed"})
    assert response.status_code == DENIED
    assert organiser.documents.update(ticket, {"code": "Y"}).status_code == DENIED


def test_the_audit_log_is_read_by_organisers_and_written_by_no_user(
    organiser: Buyer, buyer: Buyer, box_office: BoxOffice
) -> None:
    path = f"audit/{new_order_id()}"
    entry = {"order_id": "x", "state": "ticketed", "by": "tests"}
    box_office.documents.create(path, entry).raise_for_status()
    assert organiser.documents.get(path).status_code == 200
    assert organiser.documents.query("audit").status_code == 200
    assert buyer.documents.get(path).status_code == DENIED
    assert buyer.documents.query("audit").status_code == DENIED
    for person in (organiser, buyer):
        assert person.documents.update(path, {"by": "tests-2"}).status_code == DENIED
        assert person.documents.delete(path).status_code == DENIED
        assert person.documents.create(f"audit/{new_order_id()}", entry).status_code == DENIED


def test_the_tally_is_read_by_organisers_and_written_by_no_user(
    organiser: Buyer, buyer: Buyer, box_office: BoxOffice
) -> None:
    """The organiser's page queries all shards at once and adds them up."""
    box_office.documents.add("tally/0", {"orders": 0, "seats": 0}).raise_for_status()
    assert organiser.documents.query("tally").status_code == 200
    assert buyer.documents.query("tally").status_code == DENIED
    assert buyer.documents.get("tally/0").status_code == DENIED
    for person in (organiser, buyer):
        assert person.documents.add("tally/0", {"orders": 1}).status_code == DENIED
        assert person.documents.delete("tally/0").status_code == DENIED
