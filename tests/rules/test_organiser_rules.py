"""What the organiser's claim opens in the security rules, and to nobody else."""

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
    """An id that no show has; if one gets it, it is taken off afterwards."""
    show_id = f"test-{secrets.token_hex(6)}"
    yield show_id
    box_office.close_show(show_id)


def put_on(person: Firestore, show_id: str, **changes: Any) -> int:
    """Try to create a show with `changes`, None leaving a key out; returns the HTTP status."""
    show = {key: value for key, value in {**SHOW, **changes}.items() if value is not None}
    return person.create(f"shows/{show_id}", show).status_code


@pytest.mark.parametrize("trace", [None, {"traceparent": new_traceparent()}], ids=["no", "with"])
def test_an_organiser_puts_on_a_show(organiser: Buyer, new_show_id: str, trace: object) -> None:
    """With the trace of the click that did it, or without."""
    assert put_on(organiser.documents, new_show_id, _trace=trace) == 200


@pytest.mark.parametrize("before", [timedelta(0), timedelta(hours=3)])
def test_a_sale_may_end_before_the_show_begins(
    organiser: Buyer, new_show_id: str, before: timedelta
) -> None:
    """Or just when it does."""
    ends_at = STARTS_AT - before
    assert put_on(organiser.documents, new_show_id, sale_ends_at=ends_at) == 200


def test_nobody_else_puts_on_a_show(addresses: Addresses, buyer: Buyer, new_show_id: str) -> None:
    """Neither a buyer nor somebody signed out."""
    anybody = Firestore(addresses.firestore, addresses.project, token=None)
    assert put_on(buyer.documents, new_show_id) == DENIED
    assert put_on(anybody, new_show_id) == DENIED
    anybody.close()


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
    """A field that is missing, of another type, out of range or not ours keeps the show out."""
    assert put_on(organiser.documents, new_show_id, **changes) == DENIED


@pytest.mark.parametrize("show_id", ["Upper", "under_score", "x" * 65])
def test_a_shows_id_is_one_that_an_order_can_name(organiser: Buyer, show_id: str) -> None:
    """Lowercase letters, digits and hyphens."""
    assert put_on(organiser.documents, show_id) == DENIED


def test_a_show_is_not_changed_once_it_is_on(
    organiser: Buyer, open_show: Callable[..., str]
) -> None:
    """Seats are sold by the functions; not even an organiser writes stock."""
    show = f"shows/{open_show(seats=3)}"
    assert organiser.documents.update(show, {"seats_left": 99}).status_code == DENIED
    assert organiser.documents.delete(show).status_code == DENIED


def test_an_organiser_sees_all_orders_and_tickets_and_changes_none(
    organiser: Buyer, buyer: Buyer, box_office: BoxOffice, open_show: Callable[..., str]
) -> None:
    """By name, by query, everybody's."""
    order_id = buyer.place(show_id=open_show(seats=0))
    box_office.wait_for(order_id)
    ticket = f"tickets/{order_id}-1"
    box_office.documents.create(ticket, {"uid": buyer.uid, "code": "X"}).raise_for_status()
    assert organiser.documents.get(f"orders/{order_id}").status_code == 200
    assert organiser.documents.get(ticket).status_code == 200
    assert organiser.documents.query("orders").status_code == 200
    assert organiser.documents.query("tickets", buyer.uid).status_code == 200
    changed = organiser.documents.update(f"orders/{order_id}", {"state": "ticketed"})
    assert changed.status_code == DENIED
    assert organiser.documents.update(ticket, {"code": "Y"}).status_code == DENIED


def test_the_trail_is_read_by_organisers_and_written_by_nobody(
    organiser: Buyer, buyer: Buyer, box_office: BoxOffice
) -> None:
    """Append-only for the functions; closed to buyers."""
    path = f"audit/{new_order_id()}"
    entry = {"order_id": "x", "state": "ticketed", "by": "tests"}
    box_office.documents.create(path, entry).raise_for_status()
    assert organiser.documents.get(path).status_code == 200
    assert organiser.documents.query("audit").status_code == 200
    assert buyer.documents.get(path).status_code == DENIED
    assert buyer.documents.query("audit").status_code == DENIED
    for person in (organiser, buyer):
        assert person.documents.update(path, {"by": "somebody"}).status_code == DENIED
        assert person.documents.delete(path).status_code == DENIED
        assert person.documents.create(f"audit/{new_order_id()}", entry).status_code == DENIED


def test_the_tally_is_read_by_organisers_and_written_by_functions_alone(
    organiser: Buyer, buyer: Buyer, box_office: BoxOffice
) -> None:
    """All its parts at once, so that somebody can add them up; closed to buyers."""
    box_office.documents.add("tally/0", {"orders": 0, "seats": 0}).raise_for_status()
    assert organiser.documents.query("tally").status_code == 200
    assert buyer.documents.query("tally").status_code == DENIED
    assert buyer.documents.get("tally/0").status_code == DENIED
    for person in (organiser, buyer):
        assert person.documents.add("tally/0", {"orders": 1}).status_code == DENIED
        assert person.documents.delete("tally/0").status_code == DENIED
