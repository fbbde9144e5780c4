"""Tests of refunds: by an organiser, by the card processor, and of late payments."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from observatory.client import Observatory
from tests.addresses import Addresses
from tests.buyer import APPROVED, BoxOffice, Buyer, new_order_id, new_traceparent
from tests.spans import ORDER_SECONDS, has_spans, one_row, picture, rows_of

WAIT_SECONDS = 30.0

SLOW_BANK = "tok_0000000000000000_slow_bank"


def call_refund(
    addresses: Addresses, data: object, person: Buyer | None, traceparent: str | None = None
) -> httpx.Response:
    """Call the refund function as the browser's SDK does, signed in as `person`."""
    headers = {"Authorization": f"Bearer {person.token}"} if person else {}
    if traceparent:
        headers["traceparent"] = headers["x-throughline-context"] = traceparent
    url = f"{addresses.functions}/{addresses.project}/us-central1/refund"
    return httpx.post(url, json={"data": data}, headers=headers, timeout=60)


def charge_of(box_office: BoxOffice, order_id: str) -> dict[str, Any]:
    """Return the only charge of an order in the processor's book."""
    (charge,) = [c for c in box_office.charges() if c["metadata"]["order_id"] == order_id]
    return charge


def request_refund(addresses: Addresses, body: object, key: str | None) -> httpx.Response:
    """Request a refund from the card processor's API."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return httpx.post(f"{addresses.acquirer}/refunds", json=body, headers=headers, timeout=30)


def test_an_organiser_refunds_a_ticketed_order(
    addresses: Addresses,
    buyer: Buyer,
    organiser: Buyer,
    box_office: BoxOffice,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> None:
    """The charge is refunded, the seats are for sale again and the tickets void, only once."""
    show_id, theirs, ours = open_show(seats=5), new_traceparent(), new_traceparent()
    order_id = buyer.place(show_id=show_id, seats=2, _trace={"traceparent": theirs})
    ticketed = box_office.wait_for(order_id)
    responses = [
        call_refund(addresses, {"order_id": order_id}, organiser, trace)
        for trace in (ours, new_traceparent())
    ]
    for response in responses:
        assert response.status_code == 200, response.text
        assert response.json() == {"result": {"order_id": order_id, "state": "refunded"}}
    order = box_office.documents.read(f"orders/{order_id}")
    assert order["state"] == "refunded"
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == 5
    tickets = box_office.documents.find("tickets", buyer.uid)
    assert [ticket["void"] for ticket in tickets] == [True, True]
    assert charge_of(box_office, order_id)["refund_id"]

    journey = observatory.wait_for_trace(
        ours.split("-")[1],
        has_spans(("refund", "refund"), ("acquirer", "POST /refunds"), ("audit", "audit")),
        ORDER_SECONDS,
    )
    refund = one_row(journey, "refund", "refund")
    assert (refund["hop"], refund["parent_span_id"]) == ("callable", ours.split("-")[2])
    writer = ticketed["_trace"]["traceparent"].split("-")[2]
    assert writer in [link["span_id"] for link in refund["links"]], picture(journey)
    call = one_row(journey, "refund", "POST /refunds")
    assert one_row(journey, "acquirer", "POST /refunds")["parent_span_id"] == call["span_id"]
    assert (journey["errors"], order["_trace"]["traceparent"].split("-")[2]) == (
        0,
        refund["span_id"],
    )
    entry = box_office.documents.read(f"audit/{order_id}-refunded")
    assert entry["by"] == "organiser"


def test_only_an_organiser_may_refund(
    addresses: Addresses, buyer: Buyer, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """A signed-out user gets 401 and a buyer 403, even for their own order."""
    order_id = order_in("ticketed", uid=buyer.uid, charge_id="ch_1")
    for person, status in ((None, 401), (buyer, 403)):
        response = call_refund(addresses, {"order_id": order_id}, person)
        assert response.status_code == status
    assert box_office.documents.read(f"orders/{order_id}")["state"] == "ticketed"


@pytest.mark.parametrize("data", [None, {}, {"order_id": 7}, {"order_id": ""}, {"order_id": "a/b"}])
def test_a_call_without_a_valid_order_id_is_an_invalid_argument(
    addresses: Addresses, organiser: Buyer, data: object
) -> None:
    response = call_refund(addresses, data, organiser)
    assert (response.status_code, response.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_an_unknown_order_is_not_found(addresses: Addresses, organiser: Buyer) -> None:
    response = call_refund(addresses, {"order_id": new_order_id()}, organiser)
    assert (response.status_code, response.json()["error"]["status"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("state", ["charging", "declined", "expired", "paid"])
def test_only_a_ticketed_order_is_refunded(
    addresses: Addresses, organiser: Buyer, order_in: Callable[..., str], state: str
) -> None:
    response = call_refund(addresses, {"order_id": order_in(state)}, organiser)
    assert response.status_code == 400
    assert response.json()["error"]["status"] == "FAILED_PRECONDITION"


def test_an_order_whose_refund_the_processor_rejects_stays_ticketed(
    addresses: Addresses, organiser: Buyer, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """The processor rejects this refund because it does not know the charge."""
    order_id = order_in("ticketed", charge_id="ch_unknown")
    response = call_refund(addresses, {"order_id": order_id}, organiser)
    assert response.status_code == 400
    assert response.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert box_office.documents.read(f"orders/{order_id}")["state"] == "ticketed"


def test_a_payment_for_an_expired_order_is_refunded(
    addresses: Addresses,
    buyer: Buyer,
    box_office: BoxOffice,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> None:
    """The hold lapsed before the processor's webhook arrived."""
    show_id, traceparent = open_show(seats=5), new_traceparent()
    # A slow bank leaves time to expire the order before the webhook, on a busy machine too.
    order_id = buyer.place(
        show_id=show_id, card_token=SLOW_BANK, _trace={"traceparent": traceparent}
    )
    box_office.wait_for(order_id, {"charging"})
    lapsed = datetime.now(UTC) - timedelta(seconds=1)
    box_office.documents.update(f"orders/{order_id}", {"hold_until": lapsed}).raise_for_status()
    task = {"order_id": order_id, "due": lapsed.isoformat()}
    url = f"{addresses.functions}/{addresses.project}/us-central1/expire"
    httpx.post(url, json={"data": task}, timeout=30).raise_for_status()
    assert box_office.wait_for(order_id)["state"] == "expired"
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        has_spans(("settle", "POST /refunds"), ("acquirer", "POST /refunds")),
        ORDER_SECONDS,
    )
    settle = one_row(journey, "settle", "settle")
    assert settle["attributes"]["boxoffice.payment.late"] is True
    assert one_row(journey, "settle", "POST /refunds")["parent_span_id"] == settle["span_id"]
    assert charge_of(box_office, order_id)["refund_id"]
    assert box_office.documents.read(f"orders/{order_id}")["state"] == "expired"
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == 5
    assert rows_of(journey, "issue") == []


def test_the_processor_refunds_a_charge_once(
    addresses: Addresses, buyer: Buyer, box_office: BoxOffice, open_show: Callable[..., str]
) -> None:
    """The same key returns the same refund; another key, or another charge with it, is a 409."""
    charges = []
    for _ in range(2):
        order_id = buyer.place(show_id=open_show(seats=1))
        box_office.wait_for(order_id)
        charges.append(charge_of(box_office, order_id)["id"])
    key = new_order_id()
    first = request_refund(addresses, {"charge_id": charges[0]}, key)
    assert first.status_code == 201
    refund = first.json()
    assert (refund["charge_id"], refund["status"]) == (charges[0], "refunded")
    again = request_refund(addresses, {"charge_id": charges[0]}, key)
    assert (again.status_code, again.json()) == (201, refund)
    assert request_refund(addresses, {"charge_id": charges[0]}, new_order_id()).status_code == 409
    assert request_refund(addresses, {"charge_id": charges[1]}, key).status_code == 409


@pytest.mark.parametrize(
    ("body", "key", "status"),
    [
        ({"charge_id": "ch_none"}, "k", 404),
        ({"charge_id": "ch_none"}, None, 422),
        ({"charge_id": "ch_none"}, "k" * 256, 422),
        ({"charge_id": 7}, "k", 422),
        ({}, "k", 422),
        ([], "k", 422),
    ],
    ids=str,
)
def test_the_processor_rejects_an_invalid_refund_with_a_code_and_a_message(
    addresses: Addresses, body: object, key: str | None, status: int
) -> None:
    """The status is never 500."""
    response = request_refund(addresses, body, key)
    assert (response.status_code, set(response.json()["error"])) == (status, {"code", "message"})


def test_the_processor_does_not_refund_a_failed_charge(
    addresses: Addresses, box_office: BoxOffice
) -> None:
    charge = httpx.post(
        f"{addresses.acquirer}/charges",
        json={
            "amount_cents": 100,
            "currency": "EUR",
            "token": APPROVED.replace("approved", "card_declined"),
            "webhook_url": "http://127.0.0.1:9/",
            "metadata": {"order_id": "tests"},
        },
        headers={"Idempotency-Key": new_order_id()},
        timeout=30,
    ).json()
    deadline = time.monotonic() + WAIT_SECONDS
    while next(c for c in box_office.charges() if c["id"] == charge["id"])["status"] == "pending":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert request_refund(addresses, {"charge_id": charge["id"]}, new_order_id()).status_code == 409
