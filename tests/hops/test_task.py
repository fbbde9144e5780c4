"""Hop 8: from a function through Cloud Tasks to the one that ends a hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from observatory.client import Observatory
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer, new_traceparent
from tests.spans import ORDER_SECONDS, has_spans, one_row, picture, trace_of_order
from tests.trace_plugin import Trace

AN_HOUR = timedelta(hours=1)


def dispatch(
    addresses: Addresses, data: object, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Call the function as Cloud Tasks does when the time has come."""
    url = f"{addresses.functions}/{addresses.project}/us-central1/expire"
    return httpx.post(url, json={"data": data}, headers=headers, timeout=30)


def due(order_id: str, when: datetime) -> dict[str, str]:
    """A task's data."""
    return {"order_id": order_id, "due": when.isoformat()}


def test_the_task_continues_the_trace_of_who_enqueued_it(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str], box_office: BoxOffice
) -> None:
    """Through the real queue. The emulator delivers at once; the early task changes nothing."""
    traceparent = new_traceparent()
    order_id = buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        has_spans(("expire", "expire"), ("issue", "issue")),
        ORDER_SECONDS,
    )
    sent, expire = one_row(journey, "reserve", "send expire"), one_row(journey, "expire", "expire")
    assert (sent["kind"], expire["kind"]) == ("PRODUCER", "CONSUMER")
    Trace(journey).parent(expire, sent)
    assert (expire["hop"], expire["carrier"]) == ("task", "http-headers")
    assert (expire["context"], expire["links"]) == ("carried", [])
    attributes = expire["attributes"]
    assert attributes["messaging.destination.name"] == "expire"
    assert attributes["throughline.attempt"] == 1
    assert attributes["boxoffice.nothing_to_do"] == "early"
    assert journey["errors"] == 0, picture(journey)


def test_the_purchase_does_not_wait_for_the_task(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The next stage is told before the task is enqueued."""
    traceparent = new_traceparent()
    buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(("reserve", "reserve")), ORDER_SECONDS
    )
    told, enqueued = (
        one_row(journey, "reserve", "send order-reserved"),
        one_row(journey, "reserve", "send expire"),
    )
    assert told["offset_ms"] + told["duration_ms"] <= enqueued["offset_ms"]


@pytest.mark.parametrize("state", ["reserved", "charging"])
def test_a_lapsed_hold_is_given_back(
    addresses: Addresses,
    order_in: Callable[..., str],
    open_show: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
    state: str,
) -> None:
    """The order is expired, the stock is as before, and a second delivery changes nothing."""
    show_id, now, traceparent = open_show(seats=5), datetime.now(UTC), new_traceparent()
    written = new_traceparent()
    order_id = order_in(
        "charging",
        show_id=show_id,
        seats=2,
        hold_until=now - timedelta(seconds=1),
        _trace={"traceparent": written},
    )
    # Told of an order that is reserved, the stage reserve would have it expired itself.
    observatory.wait_for_trace(
        written.split("-")[1], has_spans(("reserve", "reserve")), ORDER_SECONDS
    )
    box_office.documents.update(f"orders/{order_id}", {"state": state}).raise_for_status()
    # The test's own order was never reserved; give the show what reserving would have taken.
    box_office.documents.update(f"shows/{show_id}", {"seats_left": 3}).raise_for_status()
    data = due(order_id, now - timedelta(seconds=1))
    for delivery in range(2):
        answer = dispatch(addresses, data, {"traceparent": traceparent} if not delivery else None)
        assert answer.status_code == 200
    order = box_office.documents.read(f"orders/{order_id}")
    assert order["state"] == "expired"
    assert order["_trace"]["traceparent"].split("-")[1] == traceparent.split("-")[1]
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == 5
    journey = observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("expire", "expire")))
    assert one_row(journey, "expire", "expire")["attributes"]["boxoffice.order.state"] == "expired"


def test_what_was_paid_for_in_time_is_not_taken_away(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """The task of every purchase arrives some day; most find the order paid for."""
    lapsed = datetime.now(UTC) - AN_HOUR
    order_id = order_in("ticketed", hold_until=lapsed)
    before = box_office.documents.read(f"orders/{order_id}")
    assert dispatch(addresses, due(order_id, lapsed)).status_code == 200
    assert box_office.documents.read(f"orders/{order_id}") == before


def test_the_order_knows_better_than_the_task_when_its_hold_ends(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """A task that says it is time does nothing while the order's own hold runs."""
    order_id = order_in("charging", hold_until=datetime.now(UTC) + AN_HOUR)
    assert dispatch(addresses, due(order_id, datetime.now(UTC) - AN_HOUR)).status_code == 200
    assert box_office.documents.read(f"orders/{order_id}")["state"] == "charging"


def test_a_task_without_headers_is_a_fresh_root(
    addresses: Addresses, order_in: Callable[..., str], observatory: Observatory
) -> None:
    """And does its work."""
    lapsed = datetime.now(UTC) - AN_HOUR
    order_id = order_in("charging", hold_until=lapsed)
    assert dispatch(addresses, due(order_id, lapsed)).status_code == 200
    journey = trace_of_order(observatory, order_id, has_spans(("expire", "expire")), "expire")
    expire = one_row(journey, "expire", "expire")
    assert (expire["parent_span_id"], expire["context"]) == (None, "absent"), picture(journey)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"order_id": 7},
        {"order_id": "a/b"},
        {"order_id": "x"},
        {"order_id": "x", "due": "soon"},
    ],
    ids=str,
)
def test_a_task_that_says_nothing_of_ours_is_an_error_that_says_so(
    addresses: Addresses, observatory: Observatory, data: object
) -> None:
    """It fails, the queue gives up after some attempts, and the span names the reason."""
    traceparent = new_traceparent()
    assert dispatch(addresses, data, {"traceparent": traceparent}).status_code == 500
    journey = observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("expire", "expire")))
    expire = one_row(journey, "expire", "expire")
    assert expire["error"]
    assert expire["attributes"]["error.type"] == "boxoffice.queues.UnreadableTask"
