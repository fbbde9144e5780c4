"""Hop 12: from a schedule to the sweep, a root on purpose, and into the traces of stuck orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from observatory.client import Observatory
from observatory.schemas.journey import Journey
from tests.addresses import Addresses
from tests.buyer import BoxOffice, new_traceparent
from tests.spans import ORDER_SECONDS, has_spans, one_row, picture, rows_of
from tests.trace_plugin import Trace

LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


def fire(addresses: Addresses) -> httpx.Response:
    """Call the sweep as Cloud Scheduler does, and as the stack does on its schedule."""
    url = f"{addresses.functions}/{addresses.project}/us-central1/sweep-0"
    return httpx.post(url, timeout=60)


def mended(observatory: Observatory, traceparent: str, *spans: tuple[str, str]) -> Journey:
    """The order's own trace, once the sweep and those spans are in it."""
    return observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(("sweep", "resume order"), *spans), ORDER_SECONDS
    )


def assert_joined(observatory: Observatory, journey: Journey, traceparent: str) -> None:
    """The sweep's span for an order is in the order's trace and linked with the sweep's root."""
    resuming = rows_of(journey, "sweep", "resume order")[0]
    assert resuming["parent_span_id"] == traceparent.split("-")[2], picture(journey)
    (link,) = resuming["links"]
    sweeps = observatory.wait_for_trace(link["trace_id"], has_spans(("sweep", "sweep")))
    sweep = one_row(sweeps, "sweep", "sweep")
    assert sweep["span_id"] == link["span_id"]
    assert (sweep["root"], sweep["hop"], sweep["context"]) == ("schedule", "schedule", "absent")
    assert sweep["attributes"]["faas.trigger"] == "timer"
    assert (sweeps["coverage"], sweeps["orphans"]) == (1.0, 0)
    assert traceparent.split("-")[2] in [link["span_id"] for link in sweep["links"]]


@pytest.mark.parametrize(
    ("state", "topic", "stage"),
    [("charging", "order-reserved", "charge"), ("paid", "order-paid", "issue")],
)
def test_a_stuck_order_is_taken_to_its_end_in_its_own_trace(
    addresses: Addresses,
    order_in: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
    state: str,
    topic: str,
    stage: str,
) -> None:
    """The stage that missed its message gets another one, whose producer is the sweep."""
    traceparent = new_traceparent()
    order_id = order_in(state, placed_at=LONG_AGO, _trace={"traceparent": traceparent})
    assert fire(addresses).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = mended(observatory, traceparent, (stage, stage), ("issue", "issue"))
    assert_joined(observatory, journey, traceparent)
    trace = Trace(journey)
    trace.parent(trace.find(stage, stage)[0], trace.find("sweep", f"send {topic}")[0])


def test_a_placed_order_that_nobody_reserved_is_reserved(
    addresses: Addresses,
    order_in: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
) -> None:
    """Its document's trigger will not come again, so the sweep does that stage's work."""
    traceparent = new_traceparent()
    # An order in any later state is left alone by the trigger; then it is as if that never came.
    order_id = order_in("charging", placed_at=LONG_AGO, _trace={"traceparent": traceparent})
    observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("reserve", "reserve")))
    box_office.documents.update(f"orders/{order_id}", {"state": "placed"}).raise_for_status()
    assert fire(addresses).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = mended(observatory, traceparent, ("charge", "charge"))
    assert_joined(observatory, journey, traceparent)


def test_a_lapsed_hold_that_no_task_ended_is_expired(
    addresses: Addresses,
    order_in: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
) -> None:
    """Through the real queue, whose task the sweep enqueues anew."""
    traceparent = new_traceparent()
    order_id = order_in(
        "charging", placed_at=LONG_AGO, hold_until=LONG_AGO, _trace={"traceparent": traceparent}
    )
    assert fire(addresses).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "expired"
    journey = mended(observatory, traceparent, ("expire", "expire"))
    assert_joined(observatory, journey, traceparent)
    trace = Trace(journey)
    trace.parent(trace.find("expire", "expire")[0], trace.find("sweep", "send expire")[0])


def test_an_order_that_moved_lately_is_left_alone(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """Placed long ago, but its stage is at work."""
    order_id = order_in("paid", placed_at=LONG_AGO, moved_at={"paid": datetime.now(UTC)})
    before = box_office.documents.read(f"orders/{order_id}")
    assert fire(addresses).status_code == 200
    assert box_office.documents.read(f"orders/{order_id}") == before


def test_an_order_without_a_trace_is_mended_in_the_sweeps(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """And one that can't be mended at all stops no other."""
    broken = order_in("charging", placed_at=LONG_AGO, hold_until="soon")
    order_id = order_in("paid", placed_at=LONG_AGO)
    assert fire(addresses).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    assert box_office.documents.read(f"orders/{broken}")["state"] == "charging"
    box_office.documents.delete(f"orders/{broken}").raise_for_status()
