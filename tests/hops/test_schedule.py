"""Hop 12: from a schedule to the sweep, a declared root, and to the traces of stuck orders."""

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
    """Call the sweep, as Cloud Scheduler and the stack's schedule do."""
    url = f"{addresses.functions}/{addresses.project}/us-central1/sweep-0"
    return httpx.post(url, timeout=60)


def resumed_trace(observatory: Observatory, traceparent: str, *spans: tuple[str, str]) -> Journey:
    """Wait for the sweep's span and `spans` in an order's trace, and return the trace."""
    return observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(("sweep", "resume order"), *spans), ORDER_SECONDS
    )


def assert_joined(observatory: Observatory, journey: Journey, traceparent: str) -> None:
    """Assert that the sweep's span is in the order's trace, and linked with the sweep's root."""
    resuming = rows_of(journey, "sweep", "resume order")[0]
    assert resuming["parent_span_id"] == traceparent.split("-")[2], picture(journey)
    (link,) = resuming["links"]
    swept = has_spans(("sweep", "sweep"))
    # Its spans arrive in more than one export.
    sweeps = observatory.wait_for_trace(
        link["trace_id"], lambda found: swept(found) and not found["orphans"]
    )
    sweep = one_row(sweeps, "sweep", "sweep")
    assert sweep["span_id"] == link["span_id"]
    assert (sweep["root"], sweep["hop"], sweep["context"]) == ("schedule", "schedule", "absent")
    assert sweep["attributes"]["faas.trigger"] == "timer"
    assert sweeps["coverage"] == 1.0
    assert traceparent.split("-")[2] in [link["span_id"] for link in sweep["links"]]


@pytest.mark.parametrize(
    ("state", "topic", "stage"),
    [("charging", "order-reserved", "charge"), ("paid", "order-paid", "issue")],
)
def test_a_stuck_order_is_resumed_in_its_own_trace(
    addresses: Addresses,
    order_in: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
    state: str,
    topic: str,
    stage: str,
) -> None:
    """The sweep publishes the missing message again, and is its producer."""
    traceparent = new_traceparent()
    order_id = order_in(state, placed_at=LONG_AGO, _trace={"traceparent": traceparent})
    assert fire(addresses).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = resumed_trace(observatory, traceparent, (stage, stage), ("issue", "issue"))
    assert_joined(observatory, journey, traceparent)
    trace = Trace(journey)
    trace.parent(trace.find(stage, stage)[0], trace.find("sweep", f"send {topic}")[0])


def test_a_placed_order_that_was_not_reserved_is_reserved_by_the_sweep(
    addresses: Addresses,
    order_in: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
) -> None:
    """The document's trigger does not fire again, so the sweep does the stage's work."""
    traceparent = new_traceparent()
    # The trigger ignores an order in a later state. Set back to placed, the order is then as if
    # the trigger had not fired.
    order_id = order_in("charging", placed_at=LONG_AGO, _trace={"traceparent": traceparent})
    observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("reserve", "reserve")))
    box_office.documents.update(f"orders/{order_id}", {"state": "placed"}).raise_for_status()
    assert fire(addresses).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = resumed_trace(observatory, traceparent, ("charge", "charge"))
    assert_joined(observatory, journey, traceparent)


def test_a_lapsed_hold_without_a_task_is_expired(
    addresses: Addresses,
    order_in: Callable[..., str],
    box_office: BoxOffice,
    observatory: Observatory,
) -> None:
    """The sweep enqueues the task again."""
    traceparent = new_traceparent()
    order_id = order_in(
        "charging", placed_at=LONG_AGO, hold_until=LONG_AGO, _trace={"traceparent": traceparent}
    )
    assert fire(addresses).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "expired"
    journey = resumed_trace(observatory, traceparent, ("expire", "expire"))
    assert_joined(observatory, journey, traceparent)
    trace = Trace(journey)
    trace.parent(trace.find("expire", "expire")[0], trace.find("sweep", "send expire")[0])


def test_an_order_that_moved_recently_is_not_changed(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    """It was placed long ago, but its stage may still be running."""
    order_id = order_in("paid", placed_at=LONG_AGO, moved_at={"paid": datetime.now(UTC)})
    before = box_office.documents.read(f"orders/{order_id}")
    assert fire(addresses).status_code == 200
    assert box_office.documents.read(f"orders/{order_id}") == before


def test_an_order_without_context_is_resumed_and_an_invalid_order_fails_alone(
    addresses: Addresses, order_in: Callable[..., str], box_office: BoxOffice
) -> None:
    invalid = order_in("charging", placed_at=LONG_AGO, hold_until="soon")
    order_id = order_in("paid", placed_at=LONG_AGO)
    assert fire(addresses).status_code == 200
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    failed = box_office.documents.read(f"orders/{invalid}")
    assert (failed["state"], failed["reason"]) == ("failed", "malformed_order")
    box_office.documents.delete(f"orders/{invalid}").raise_for_status()
