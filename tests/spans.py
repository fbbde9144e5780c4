"""Find spans in a trace tree; a failed search shows the tree."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from observatory.client import Observatory
from observatory.schemas.journey import Journey, Row
from tests.trace_plugin import Trace, picture

ORDER_SECONDS = 40.0
ARRIVAL_SECONDS = 15.0

__all__ = [
    "ARRIVAL_SECONDS",
    "ORDER_SECONDS",
    "has_spans",
    "one_row",
    "picture",
    "rows_of",
    "trace_of_order",
    "wait_for",
]

Item = TypeVar("Item")


def rows_of(journey: Journey, service: str, name: str | None = None) -> list[Row]:
    """Return the spans of a service, only those called `name` if given, by start time."""
    return Trace(journey).find(service, name)


def one_row(journey: Journey, service: str, name: str) -> Row:
    """Return the only span of that service and name; otherwise fail and show the trace."""
    __tracebackhide__ = True
    return Trace(journey).one(service, name)


def has_spans(*wanted: tuple[str, str]) -> Callable[[Journey], bool]:
    """Return a predicate that is true once every (service, span name) pair has arrived."""
    return lambda journey: all(rows_of(journey, service, name) for service, name in wanted)


def wait_for(find: Callable[[], list[Item]]) -> list[Item]:
    """Call `find` until its result is not empty, and return it; fail after ARRIVAL_SECONDS."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while not (items := find()):
        assert time.monotonic() < deadline, f"nothing arrived within {ARRIVAL_SECONDS} s"
        time.sleep(0.1)
    return items


def trace_of_order(
    observatory: Observatory, order_id: str, until: Callable[[Journey], bool], service: str
) -> Journey:
    """Return the trace in which `service` handled an order, found by the order's id.

    For a trace whose id the test did not choose itself.
    """
    traces = observatory.traces(subject=order_id, service=service)["traces"]
    assert traces, f"no trace of {service} names order {order_id}"
    return observatory.wait_for_trace(traces[0]["trace_id"], until, ORDER_SECONDS)
