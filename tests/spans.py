"""Looking for spans in a journey, and saying what was there instead when they aren't."""

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
    "has_all",
    "picture",
    "rows_of",
    "the",
    "trace_of_order",
    "wait_for",
]

Found = TypeVar("Found")


def rows_of(journey: Journey, service: str, name: str | None = None) -> list[Row]:
    """The spans of one service, or those of them with one name, in the order they began."""
    return Trace(journey).find(service, name)


def the(journey: Journey, service: str, name: str) -> Row:
    """The one span of that service and name; fails, and shows the trace, if it isn't one."""
    __tracebackhide__ = True
    return Trace(journey).one(service, name)


def has_all(*wanted: tuple[str, str]) -> Callable[[Journey], bool]:
    """A condition to wait for: that each service's span of that name is there."""
    return lambda journey: all(rows_of(journey, service, name) for service, name in wanted)


def wait_for(find: Callable[[], list[Found]]) -> list[Found]:
    """What `find` finds, once it is anything; fails when it stays nothing."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline, "nothing arrived in time"
        time.sleep(0.1)
    return found


def trace_of_order(
    observatory: Observatory, order_id: str, until: Callable[[Journey], bool], service: str
) -> Journey:
    """The trace in which `service` handled an order whose trace id nobody knows beforehand."""
    found = observatory.traces(subject=order_id, service=service)["traces"]
    assert found, f"no trace of {service} names order {order_id}"
    return observatory.wait_for_trace(found[0]["trace_id"], until, ORDER_SECONDS)
