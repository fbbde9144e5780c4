"""Hop 8: from a function through Cloud Tasks to the function that ends a hold."""

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
    """Call the function as Cloud Tasks does when a task is due."""
    url = f"{addresses.functions}/{addresses.project}/us-central1/expire"
    return httpx.post(url, json={"data": data}, headers=headers, timeout=30)


def due(order_id: str, when: datetime) -> dict[str, str]:
    """Return the data of a task."""
    return {"order_id": order_id, "due": when.isoformat()}


def test_a_task_continues_the_trace_of_the_function_that_enqueued_it(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str], box_office: BoxOffice
) -> None:
    """The emulator delivers the task at once; an early task changes nothing."""
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
    assert attributes["boxoffice.skipped"] == "early"
    assert journey["errors"] == 0, picture(journey)


def test_reserve_publishes_the_message_before_it_enqueues_the_task(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """A purchase therefore does not wait for the task."""
    traceparent = new_traceparent()
    buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(("reserve", "reserve")), ORDER_SECONDS
    )
    published, enqueued = (
        one_row(journey, "reserve", "send order-reserved"),
        one_row(journey, "reserve", "send expire"),
    )
    assert published["offset_ms"] + published["duration_ms"] <= enqueued["offset_ms"]


@pytest.mark.parametrize("state", ["reserved", "charging"])
def test_a_lapsed_hold_expires_the_order_and_returns_the_stock(
    addresses: Addresses,
    order_in: Callable[..., str],
    open_show: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
    state: str,
) -> None:
    """A second delivery changes nothing."""
    show_id, now, traceparent = open_show(seats=5), datetime.now(UTC), new_traceparent()
    written = new_traceparent()
    order_id = order_in(
        "charging",
        show_id=show_id,
        seats=2,
        hold_until=now - timedelta(seconds=1),
        _trace={"traceparent": written},
    )
    # Wait for reserve's event: for an order in state reserved, the stage would enqueue the task.
    observatory.wait_for_trace(
        written.split("-")[1], has_spans(("reserve", "reserve")), ORDER_SECONDS
    )
    box_office.documents.update(f"orders/{order_id}", {"state": state}).raise_for_status()
    # The order was never reserved, so subtract its seats as reserve would have.
    box_office.documents.update(f"shows/{show_id}", {"seats_left": 3}).raise_for_status()
    data = due(order_id, now - timedelta(seconds=1))
    for delivery in range(2):
        response = dispatch(addresses, data, {"traceparent": traceparent} if not delivery else None)
        assert response.status_code == 200
    order = box_office.documents.read(f"orders/{order_id}")
    assert order["state"] == "expired"
    assert order["_trace"]["traceparent"].split("-")[1] == traceparent.split("-")[1]
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == 5
    journey = observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("expire", "expire")))
    assert one_row(journey, "expire", "expire")["attributes"]["boxoffice.order.state"] == "expired"


def test_the_task_of_a_ticketed_order_changes_nothing(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    lapsed = datetime.now(UTC) - AN_HOUR
    order_id = order_in("ticketed", hold_until=lapsed)
    before = box_office.documents.read(f"orders/{order_id}")
    assert dispatch(addresses, due(order_id, lapsed)).status_code == 200
    assert box_office.documents.read(f"orders/{order_id}") == before


def test_the_orders_hold_takes_precedence_over_the_tasks_due_time(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """A task that is due does nothing before the end of the order's own hold."""
    order_id = order_in("charging", hold_until=datetime.now(UTC) + AN_HOUR)
    assert dispatch(addresses, due(order_id, datetime.now(UTC) - AN_HOUR)).status_code == 200
    assert box_office.documents.read(f"orders/{order_id}")["state"] == "charging"


def test_a_task_without_headers_starts_a_new_root(
    addresses: Addresses, order_in: Callable[..., str], observatory: Observatory
) -> None:
    """The order expires all the same."""
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
def test_a_task_with_invalid_data_is_given_up_with_an_error_on_its_span(
    addresses: Addresses, observatory: Observatory, data: object
) -> None:
    traceparent = new_traceparent()
    assert dispatch(addresses, data, {"traceparent": traceparent}).status_code == 200
    journey = observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("expire", "expire")))
    expire = one_row(journey, "expire", "expire")
    assert expire["error"]
    assert expire["attributes"]["error.type"] == "boxoffice.queues.UnreadableTask"
