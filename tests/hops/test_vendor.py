"""Hops 9 and 10: to the card processor, and back through its webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from observatory.client import Observatory
from tests.addresses import Addresses
from tests.buyer import DECLINED, BoxOffice, Buyer, new_traceparent
from tests.hops.pubsub import about, publish
from tests.spans import ORDER_SECONDS, has_spans, one_row, rows_of, trace_of_order
from tests.trace_plugin import Trace

SECRET = "whsec_for_the_local_stack_only"


def webhook_body(order_id: str, **charge: Any) -> bytes:
    """Return the processor's webhook body for a succeeded charge, with the changes `charge`."""
    metadata = charge.pop("metadata", {})
    return json.dumps(
        {
            "id": "evt_1",
            "type": "charge.succeeded",
            "data": {
                "charge": {
                    "id": "ch_1",
                    "status": "succeeded",
                    "amount_cents": 1000,
                    "currency": "EUR",
                    "metadata": {"order_id": order_id, **metadata},
                    **charge,
                }
            },
        }
    ).encode()


def signature(body: bytes, secret: str = SECRET, sent_at: float | None = None) -> str:
    """Return the processor's signature of `body`."""
    stamp = str(int(time.time() if sent_at is None else sent_at))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


@pytest.fixture
def call_back(addresses: Addresses) -> Callable[..., httpx.Response]:
    """Posts to the webhook with a given signature, valid or not."""

    def post(body: bytes, signed: str | None) -> httpx.Response:
        url = f"{addresses.functions}/{addresses.project}/us-central1/settle"
        headers = {"Content-Type": "application/json"}
        if signed is not None:
            headers["Acquirer-Signature"] = signed
        return httpx.post(url, content=body, headers=headers, timeout=30)

    return post


def test_the_processors_spans_are_children_of_our_call(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The headers reach the processor, and the spans that it exports join the trace."""
    traceparent = new_traceparent()
    buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        has_spans(
            ("charge", "charge"), ("acquirer", "POST /charges"), ("acquirer", "card network")
        ),
        ORDER_SECONDS,
    )
    call = one_row(journey, "charge", "POST /charges")
    assert (call["kind"], call["hop"], call["carrier"]) == ("CLIENT", "vendor", "http-headers")
    assert call["attributes"]["http.response.status_code"] == 202
    trace = Trace(journey)
    served = trace.one("acquirer", "POST /charges")
    trace.parent(served, call)
    trace.parent(trace.one("acquirer", "card network"), served)


def test_the_webhook_continues_the_trace_of_the_call(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Its parent is in the charge's metadata; the HTTP request is a link."""
    traceparent = new_traceparent()
    buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        has_spans(("issue", "issue"), ("acquirer", "POST")),
        ORDER_SECONDS,
    )
    call, settle = one_row(journey, "charge", "POST /charges"), one_row(journey, "settle", "settle")
    Trace(journey).parent(settle, call)
    assert (settle["kind"], settle["hop"]) == ("SERVER", "webhook")
    assert settle["carrier"] == "charge-metadata"
    delivered = one_row(journey, "acquirer", "POST")
    assert [link["span_id"] for link in settle["links"]] == [delivered["span_id"]]
    assert settle["attributes"]["http.response.status_code"] == 200


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        (lambda body: None, "no usable Acquirer-Signature header"),
        (lambda body: "", "no usable Acquirer-Signature header"),
        (lambda body: "t=now,v1=abc", "no usable Acquirer-Signature header"),
        (lambda body: "t=1", "no usable Acquirer-Signature header"),
        (lambda body: signature(body, secret="another secret"), "the signature is wrong"),
        (lambda body: signature(body + b" "), "the signature is wrong"),
        (lambda body: signature(body, sent_at=time.time() - 3600), "the signature is too old"),
    ],
    ids=["none", "empty", "no time", "no digest", "secret", "body", "old"],
)
def test_a_webhook_without_a_valid_signature_is_rejected(
    order_in: Callable[..., str],
    call_back: Callable[..., httpx.Response],
    box_office: BoxOffice,
    observatory: Observatory,
    sign: Callable[[bytes], str | None],
    reason: str,
) -> None:
    """The status is 401 with the reason; the order does not change, and the context is not used."""
    order_id, traceparent = order_in("charging"), new_traceparent()
    before = box_office.documents.read(f"orders/{order_id}")
    body = webhook_body(order_id, metadata={"traceparent": traceparent})
    response = call_back(body, sign(body))
    assert (response.status_code, response.json()) == (401, {"error": reason})
    assert box_office.documents.read(f"orders/{order_id}") == before
    claimed_trace_id = traceparent.split("-")[1]
    rejected = [
        trace
        for trace in observatory.traces(service="settle")["traces"]
        if trace["root_service"] == "settle"
    ]
    assert rejected
    assert claimed_trace_id not in {trace["trace_id"] for trace in rejected}
    settle = one_row(observatory.trace(rejected[0]["trace_id"]), "settle", "settle")
    assert (settle["context"], settle["parent_span_id"]) == ("invalid", None)
    assert settle["attributes"]["throughline.context.reason"] == reason


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "the body is not a charge event"),
        (b"<xml/>", "the body is not a charge event"),
        (b"[1]", "the body is not a charge event"),
        (b'{"data": {"charge": {"metadata": []}}}', "the charge has no metadata"),
        (b'{"data": {"charge": {"metadata": {}}}}', "the charge's metadata names no order"),
        (webhook_body("NoSuchOrder000000000"), "there is no order NoSuchOrder000000000"),
    ],
    ids=["empty", "xml", "list", "metadata", "no order", "unknown order"],
)
def test_a_signed_webhook_with_invalid_content_is_422(
    call_back: Callable[..., httpx.Response], body: bytes, error: str
) -> None:
    """The processor does not retry a 422."""
    response = call_back(body, signature(body))
    assert (response.status_code, response.json()) == (422, {"error": error})


def test_a_charge_with_an_unknown_status_settles_nothing(
    order_in: Callable[..., str],
    call_back: Callable[..., httpx.Response],
    box_office: BoxOffice,
) -> None:
    """It is a 422, and the order does not move."""
    order_id = order_in("charging")
    body = webhook_body(order_id, status="odd")
    assert call_back(body, signature(body)).status_code == 422
    assert box_office.documents.read(f"orders/{order_id}")["state"] == "charging"


def test_a_replayed_webhook_changes_nothing(
    order_in: Callable[..., str],
    call_back: Callable[..., httpx.Response],
    box_office: BoxOffice,
) -> None:
    """The processor may send a webhook again; the response is 200."""
    order_id = order_in("charging")
    body = webhook_body(order_id)
    first = call_back(body, signature(body))
    assert (first.status_code, first.json()["moved"]) == (200, True)
    ticketed = box_office.wait_for(order_id)
    again = call_back(body, signature(body))
    assert again.status_code == 200
    assert again.json() == {"state": "ticketed", "moved": False}
    assert box_office.documents.read(f"orders/{order_id}") == ticketed
    assert len(box_office.documents.find("tickets", "nobody")) >= 1


def test_malformed_context_in_the_metadata_starts_a_new_root(
    order_in: Callable[..., str],
    call_back: Callable[..., httpx.Response],
    observatory: Observatory,
    box_office: BoxOffice,
) -> None:
    """The payment is settled all the same."""
    order_id = order_in("charging")
    body = webhook_body(order_id, metadata={"traceparent": "00-MANGLED"})
    assert call_back(body, signature(body)).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = trace_of_order(observatory, order_id, has_spans(("issue", "issue")), "settle")
    settle = one_row(journey, "settle", "settle")
    assert (settle["context"], settle["parent_span_id"]) == ("invalid", None)
    assert settle["attributes"]["throughline.context.reason"] == "traceparent is malformed"


def test_a_declined_card_returns_the_seats(
    buyer: Buyer, box_office: BoxOffice, open_show: Callable[..., str], observatory: Observatory
) -> None:
    """The order is declined with the processor's reason, and the stock is as before."""
    show_id, traceparent = open_show(seats=3), new_traceparent()
    order_id = buyer.place(
        show_id=show_id, seats=2, card_token=DECLINED, _trace={"traceparent": traceparent}
    )
    order = box_office.wait_for(order_id)
    assert (order["state"], order["reason"]) == ("declined", "card_declined")
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == 3
    journey = observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("settle", "settle")))
    assert rows_of(journey, "issue") == []
    assert journey["errors"] == 0, "a declined card is not an error"


def test_no_secret_of_the_purchase_is_on_any_span(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str], box_office: BoxOffice
) -> None:
    """Neither the card's token nor the uid is in the trace or its logs."""
    traceparent = new_traceparent()
    order_id = buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    token = box_office.wait_for(order_id)["card_token"]
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(("issue", "issue")), ORDER_SECONDS
    )
    everything = json.dumps(journey)
    assert token not in everything
    assert buyer.uid not in everything


def test_repeating_the_call_settles_a_charge_whose_webhook_was_lost(
    addresses: Addresses,
    order_in: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
) -> None:
    """The processor's response to the same key has the charge's final status."""
    order_id, traceparent = order_in("charging"), new_traceparent()
    order = box_office.documents.read(f"orders/{order_id}")
    httpx.post(
        f"{addresses.acquirer}/charges",
        json={
            "amount_cents": order["amount_cents"],
            "currency": order["currency"],
            "token": order["card_token"],
            "webhook_url": "http://127.0.0.1:9/nobody-listens",
            "metadata": {"order_id": order_id},
        },
        headers={"Idempotency-Key": order_id},
        timeout=30,
    ).raise_for_status()
    deadline = time.monotonic() + ORDER_SECONDS

    def is_pending() -> bool:
        of_order = (c for c in box_office.charges() if c["metadata"].get("order_id") == order_id)
        return bool(next(of_order)["status"] == "pending")

    while is_pending():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    publish(addresses, "order-reserved", about(order_id), {"traceparent": traceparent})
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        has_spans(("charge", "charge"), ("issue", "issue")),
        ORDER_SECONDS,
    )
    sent = one_row(journey, "charge", "send order-paid")
    assert one_row(journey, "issue", "issue")["parent_span_id"] == sent["span_id"]
