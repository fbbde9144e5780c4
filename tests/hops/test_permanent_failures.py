"""Refused charges, and charges of another amount, on the stack with its retries."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from observatory.client import Observatory
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer, new_order_id, new_traceparent
from tests.hops.pubsub import about, publish
from tests.hops.redelivery import Redelivery
from tests.hops.test_vendor import signature, webhook_body
from tests.spans import ORDER_SECONDS, has_spans, one_row, picture, rows_of

SEATS = 5


@pytest.mark.parametrize("status", [400, 402, 403, 422])
def test_a_charge_that_the_processor_refuses_runs_once_and_returns_the_seats(
    buyer: Buyer,
    box_office: BoxOffice,
    open_show: Callable[..., str],
    observatory: Observatory,
    redelivery: Redelivery,
    status: int,
) -> None:
    """The order has the reason, nothing is retried, and the trace has the status."""
    before, show_id, traceparent = redelivery.state(), open_show(seats=SEATS), new_traceparent()
    token = f"tok_0000000000000000_refused_{status}"
    order_id = buyer.place(
        show_id=show_id, seats=2, card_token=token, _trace={"traceparent": traceparent}
    )
    order = box_office.wait_for(order_id)
    assert (order["state"], order["reason"]) == ("failed", "charge_refused")
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == SEATS
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        has_spans(("charge", "charge"), ("audit", "audit")),
        ORDER_SECONDS,
    )
    charge = one_row(journey, "charge", "charge")
    assert charge["attributes"]["boxoffice.permanent_failure"] == "charge_refused", picture(journey)
    assert charge["status_message"].endswith(f"status {status}, card_refused")
    call = one_row(journey, "charge", "POST /charges")
    assert call["attributes"]["http.response.status_code"] == status
    assert box_office.documents.read(f"audit/{order_id}-failed")["by"] == "charge"
    assert redelivery.wait_until_quiet() == before


def test_a_refused_charge_fails_its_order_once_under_chaos(
    buyer: Buyer, box_office: BoxOffice, open_show: Callable[..., str], redelivery: Redelivery
) -> None:
    """Duplicated, reordered and failing deliveries return the seats once."""
    show_id, before = open_show(seats=SEATS), redelivery.state()
    redelivery.chaos(seed=1, duplicate_rate=0.6, delay_ms_max=300, reorder_rate=0.4, fail_rate=0.4)
    token = "tok_0000000000000000_refused_402"
    order_ids = [buyer.place(show_id=show_id, card_token=token) for _ in range(3)]
    for order_id in order_ids:
        assert box_office.wait_for(order_id, seconds=90)["state"] == "failed"
    assert redelivery.wait_until_quiet()["dead"] == before["dead"]
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == SEATS


@pytest.fixture
def charge_otherwise(
    addresses: Addresses, box_office: BoxOffice
) -> Callable[[str], dict[str, Any]]:
    """Charges an order's card a cent too little, and returns the charge once it succeeded."""

    def charge(order_id: str) -> dict[str, Any]:
        order = box_office.documents.read(f"orders/{order_id}")
        made = httpx.post(
            f"{addresses.acquirer}/charges",
            json={
                "amount_cents": order["amount_cents"] - 1,
                "currency": order["currency"],
                "token": order["card_token"],
                "webhook_url": "http://127.0.0.1:9/nobody-listens",
                "metadata": {"order_id": order_id},
            },
            headers={"Idempotency-Key": new_order_id()},
            timeout=30,
        ).raise_for_status()
        deadline = time.monotonic() + ORDER_SECONDS
        while (charge := charge_with_id(box_office, made.json()["id"]))["status"] == "pending":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return charge

    return charge


def charge_with_id(box_office: BoxOffice, charge_id: str) -> dict[str, Any]:
    """Return a charge in the processor's book."""
    (charge,) = [charge for charge in box_office.charges() if charge["id"] == charge_id]
    return charge


def test_a_charge_of_another_amount_is_refunded_once_and_fails_the_order(
    addresses: Addresses,
    order_in: Callable[..., str],
    open_show: Callable[..., str],
    charge_otherwise: Callable[[str], dict[str, Any]],
    box_office: BoxOffice,
    observatory: Observatory,
) -> None:
    """Three webhooks that arrive one after the other, and the message to charge, change nothing
    more."""
    show_id, traceparent = open_show(seats=SEATS), new_traceparent()
    order_id = order_in("charging", show_id=show_id, seats=2)
    charge = charge_otherwise(order_id)
    metadata = {"order_id": order_id, "traceparent": traceparent}
    body = webhook_body(order_id, **{**charge, "metadata": metadata})
    url = f"{addresses.functions}/{addresses.project}/us-central1/settle"
    answers = [
        httpx.post(
            url,
            content=body,
            headers={"Content-Type": "application/json", "Acquirer-Signature": signature(body)},
            timeout=60,
        ).raise_for_status()
        for _ in range(3)
    ]
    assert answers[0].json() == {"state": "failed", "moved": True}
    assert answers[2].json() == {"state": "failed", "moved": False}
    publish(addresses, "order-reserved", about(order_id), {"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        lambda stored: (
            len(rows_of(stored, "settle", "settle")) == 3
            and has_spans(("charge", "charge"), ("audit", "audit"))(stored)
        ),
        ORDER_SECONDS,
    )
    order = box_office.documents.read(f"orders/{order_id}")
    assert (order["state"], order["reason"]) == ("failed", "charge_differs")
    assert order["charge_id"] == charge["id"]
    # The test wrote the order without taking its seats off the stock.
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == SEATS + 2
    assert charge_with_id(box_office, charge["id"])["refund_id"]
    assert len(rows_of(journey, "settle", "POST /refunds")) == 1, picture(journey)
    facts = {
        "boxoffice.order.amount_cents": 1000,
        "boxoffice.charge.amount_cents": 999,
        "boxoffice.charge.differs_in": "amount_cents",
        "boxoffice.permanent_failure": "charge_differs",
    }
    settle = min(rows_of(journey, "settle", "settle"), key=lambda row: row["offset_ms"])
    assert facts.items() <= settle["attributes"].items()


def test_a_refund_that_the_processor_refuses_leaves_a_dead_letter(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """The processor does not know the charge. The order fails all the same."""
    order_id = order_in("charging")
    body = webhook_body(order_id, amount_cents=999, id="ch_unknown")
    url = f"{addresses.functions}/{addresses.project}/us-central1/settle"
    headers = {"Content-Type": "application/json", "Acquirer-Signature": signature(body)}
    assert httpx.post(url, content=body, headers=headers, timeout=60).status_code == 422
    order = box_office.documents.read(f"orders/{order_id}")
    assert (order["state"], order["reason"]) == ("failed", "charge_differs")
    ids = box_office.documents.ids_where("dead_letters", "reason", "refused_by_processor")
    letters = [box_office.documents.read(f"dead_letters/{letter}") for letter in ids]
    assert any(f"refund-{order_id}" in letter["message"] for letter in letters)
