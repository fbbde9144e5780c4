"""The security rules for buyers, evaluated by the emulator's rules engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stack.clients.firestore_rest import Firestore
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer, new_order_id

DENIED = 403
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def sold_out_show(open_show: Callable[..., str]) -> str:
    """A show without seats: its orders are rejected at once, so that no test waits for a charge."""
    return open_show(seats=0)


def place(buyer: Buyer, **changes: Any) -> int:
    """Try to place an order with `changes` to its fields; return the HTTP status."""
    return place_as(new_order_id(), buyer, **changes)


def place_as(order_id: str, buyer: Buyer, **changes: Any) -> int:
    """Try to place an order under a chosen id; return the HTTP status."""
    return buyer.attempt(order_id, **changes).status_code


def signed_out(addresses: Addresses) -> Firestore:
    """Return a Firestore client that is not signed in."""
    return Firestore(addresses.firestore, addresses.project, token=None)


def test_a_buyer_may_place_an_order_of_their_own(buyer: Buyer, sold_out_show: str) -> None:
    assert place(buyer, show_id=sold_out_show) == 200


def test_an_order_needs_a_signed_in_user(addresses: Addresses, buyer: Buyer) -> None:
    """Naming an existing user in the order is not enough."""
    visitor = signed_out(addresses)
    path = f"orders/{new_order_id()}"
    response = visitor.create(path, buyer.order(), server_times=("placed_at",))
    visitor.close()
    assert response.status_code == DENIED


def test_an_orders_id_has_at_most_64_characters(buyer: Buyer, sold_out_show: str) -> None:
    """The stages refuse a longer id, so its seats would stay held."""
    stem = new_order_id()
    assert place_as(stem.ljust(65, "x"), buyer, show_id=sold_out_show) == DENIED
    assert place_as(stem.ljust(64, "x"), buyer, show_id=sold_out_show) == 200


def test_an_order_needs_the_note_that_it_is_the_latest(buyer: Buyer, sold_out_show: str) -> None:
    """Without the note a client could place any number of orders."""
    path, order = f"orders/{new_order_id()}", buyer.order(show_id=sold_out_show)
    response = buyer.documents.create(path, order, server_times=("placed_at",))
    assert response.status_code == DENIED


def test_two_orders_need_two_seconds_between_them(buyer: Buyer, sold_out_show: str) -> None:
    """The client library waits that long; without the wait the rules refuse the second order."""
    buyer.place(show_id=sold_out_show)
    assert place(buyer, show_id=sold_out_show) == DENIED
    buyer.place(show_id=sold_out_show)


def test_a_show_that_has_begun_cannot_be_ordered(
    buyer: Buyer, box_office: BoxOffice, sold_out_show: str
) -> None:
    """Its start counts by the server's clock."""
    change = {"starts_at": datetime.now(UTC) - timedelta(seconds=1)}
    box_office.documents.update(f"shows/{sold_out_show}", change).raise_for_status()
    assert place(buyer, show_id=sold_out_show) == DENIED


def test_the_note_of_the_latest_order_is_private(
    buyer: Buyer, new_buyer: Callable[[], Buyer], sold_out_show: str
) -> None:
    """Neither its buyer nor anyone else reads it."""
    buyer.place(show_id=sold_out_show)
    for person in (buyer, new_buyer()):
        assert person.documents.get(f"buyers/{buyer.uid}").status_code == DENIED
        assert person.documents.delete(f"buyers/{buyer.uid}").status_code == DENIED


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": "somebody-else"},
        {"uid": None},
        {"show_id": None},
        {"show_id": 7},
        {"show_id": ""},
        {"show_id": "../orders/x"},
        {"show_id": "x" * 65},
        {"seats": None},
        {"seats": 0},
        {"seats": -1},
        {"seats": 9},
        {"seats": 1.5},
        {"seats": "2"},
        {"card_token": None},
        {"card_token": "4242424242424242"},
        {"card_token": "tok_short"},
        {"card_token": "tok_" + "x" * 65},
        {"state": None},
        {"state": "ticketed"},
        {"state": "paid"},
        {"amount_cents": 1},
        {"asked_at": "just now"},
        {"asked_at": 1795542324},
        {"note": "an extra field"},
    ],
    ids=str,
)
def test_an_order_has_exactly_its_fields(buyer: Buyer, changes: dict[str, Any]) -> None:
    """A missing or unknown field, a wrong type and a value out of range are each denied."""
    assert place(buyer, **changes) == DENIED


@pytest.mark.parametrize("year", [1999, 2026, 2099])
def test_a_buyer_with_a_wrong_clock_may_place_an_order(
    buyer: Buyer, sold_out_show: str, year: int
) -> None:
    """No decision depends on `asked_at`."""
    asked_at = datetime(year, 1, 1, tzinfo=UTC)
    assert place(buyer, show_id=sold_out_show, asked_at=asked_at) == 200


def test_users_read_their_own_role_document_and_write_none(
    addresses: Addresses, box_office: BoxOffice, new_buyer: Callable[[], Buyer]
) -> None:
    """The document only announces a change; it grants nothing."""
    mine, other, visitor = new_buyer(), new_buyer(), signed_out(addresses)
    path = f"roles/{mine.uid}"
    change = {"role": "organiser"}
    box_office.documents.set(path, change, server_times=("granted_at",)).raise_for_status()
    try:
        assert mine.documents.read(path)["role"] == "organiser"
        for person in (other.documents, visitor):
            assert person.get(path).status_code == DENIED
        assert mine.documents.query("roles").status_code == DENIED
        assert mine.documents.set(path, {"role": "owner"}).status_code == DENIED
        assert mine.documents.create(f"roles/{other.uid}", change).status_code == DENIED
        assert mine.documents.query("orders", other.uid).status_code == DENIED
    finally:
        box_office.documents.delete(path)
        visitor.close()


def test_the_server_sets_the_time_of_an_order(buyer: Buyer) -> None:
    """An order with the client's own `placed_at` is denied."""
    assert place(buyer, placed_at=datetime(2026, 1, 1, tzinfo=UTC)) == DENIED


@pytest.mark.parametrize(
    "trace",
    [
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-00"},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": "v=1"},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "baggage": "order.id=1"},
    ],
    ids=str,
)
def test_a_well_formed_trace_is_accepted(
    buyer: Buyer, sold_out_show: str, trace: dict[str, str]
) -> None:
    """`_trace` holds W3C trace context, sampled or not, with optional tracestate and baggage."""
    assert place(buyer, show_id=sold_out_show, _trace=trace) == 200


@pytest.mark.parametrize(
    "trace",
    [
        None,
        "00-…",
        {},
        {"traceparent": 7},
        {"traceparent": ""},
        {"traceparent": "nonsense"},
        {"traceparent": f"00-{'0' * 32}-{SPAN_ID}-01"},
        {"traceparent": f"00-{TRACE_ID}-{'0' * 16}-01"},
        {"traceparent": f"00-{TRACE_ID.upper()}-{SPAN_ID}-01"},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01-more"},
        {"traceparent": f"ff-{TRACE_ID}-{SPAN_ID}-01"},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01\n"},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": "x" * 513},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": 7},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "baggage": "x" * 8193},
        {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "email": "a@example.org"},
    ],
    ids=lambda trace: str(trace)[:60],
)
def test_a_malformed_trace_is_denied(buyer: Buyer, trace: object) -> None:
    assert place(buyer, _trace=trace) == DENIED


def test_an_order_is_read_by_its_buyer_alone(
    addresses: Addresses, new_buyer: Callable[[], Buyer], sold_out_show: str
) -> None:
    """Another user and a signed-out visitor can neither get nor query it."""
    owner, stranger, visitor = new_buyer(), new_buyer(), signed_out(addresses)
    order_id = owner.place(show_id=sold_out_show)
    assert owner.documents.get(f"orders/{order_id}").status_code == 200
    assert [order["uid"] for order in owner.documents.find("orders", owner.uid)] == [owner.uid]
    for other in (stranger.documents, visitor):
        assert other.get(f"orders/{order_id}").status_code == DENIED
        assert other.query("orders", owner.uid).status_code == DENIED
        assert other.query("orders").status_code == DENIED
    visitor.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "ticketed"},
        {"seats": 8},
        {"amount_cents": 1},
        {"_trace": {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}},
    ],
    ids=str,
)
def test_a_buyer_cannot_change_an_order(
    buyer: Buyer, box_office: BoxOffice, sold_out_show: str, changes: dict[str, Any]
) -> None:
    """They cannot change its trace or delete it either; only the functions write it."""
    order_id = buyer.place(show_id=sold_out_show)
    before = box_office.wait_for(order_id)
    assert buyer.documents.update(f"orders/{order_id}", changes).status_code == DENIED
    assert buyer.documents.delete(f"orders/{order_id}").status_code == DENIED
    assert box_office.documents.read(f"orders/{order_id}") == before


def test_shows_are_readable_signed_out(addresses: Addresses, sold_out_show: str) -> None:
    visitor = signed_out(addresses)
    assert visitor.get(f"shows/{sold_out_show}").status_code == 200
    assert visitor.query("shows").status_code == 200
    visitor.close()


def test_a_buyer_cannot_create_change_or_delete_a_show(buyer: Buyer, sold_out_show: str) -> None:
    show = f"shows/{sold_out_show}"
    assert buyer.documents.update(show, {"seats_left": 99}).status_code == DENIED
    assert buyer.documents.delete(show).status_code == DENIED
    assert buyer.documents.create("shows/mine", {"seats_left": 99}).status_code == DENIED


def test_a_ticket_is_read_by_its_owner_alone(
    new_buyer: Callable[[], Buyer], box_office: BoxOffice
) -> None:
    """No user can write it, its owner included."""
    owner, stranger = new_buyer(), new_buyer()
    path = f"tickets/{new_order_id()}-1"
    box_office.documents.create(path, {"uid": owner.uid, "code": "X"}).raise_for_status()
    assert owner.documents.get(path).status_code == 200
    assert len(owner.documents.find("tickets", owner.uid)) == 1
    assert stranger.documents.get(path).status_code == DENIED
    assert stranger.documents.query("tickets", owner.uid).status_code == DENIED
    assert owner.documents.update(path, {"code": "Y"}).status_code == DENIED
    forged = {"uid": owner.uid, "code": "Z"}
    assert owner.documents.create("tickets/forged", forged).status_code == DENIED


def test_collections_without_a_rule_cannot_be_read_or_written(buyer: Buyer) -> None:
    assert buyer.documents.get("anything/else").status_code == DENIED
    assert buyer.documents.create("anything/else", {"a": 1}).status_code == DENIED


@pytest.mark.parametrize("who", ["a buyer", "the organiser"])
def test_no_user_can_read_or_set_the_flags_of_the_faults(
    buyer: Buyer, organiser: Buyer, who: str
) -> None:
    """Only an administrator can read and set them."""
    documents = (buyer if who == "a buyer" else organiser).documents
    assert documents.set("flags/no-idempotency-key", {"on": True}).status_code == DENIED
    assert documents.get("flags/no-idempotency-key").status_code == DENIED
    assert documents.query("flags").status_code == DENIED
