"""When a trace is complete: nothing new came for a while, and no parent is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import pytest

from observatory.client import Observatory, TraceNotFound
from tests.trace_plugin.trace import Trace

POLL_SECONDS = 0.1


class WholeTrace(Protocol):
    """What the fixture `whole_trace` is: call it with a trace's id."""

    def __call__(
        self,
        trace_id: str,
        *,
        until: Callable[[Trace], object] = ...,
        orphans: int = ...,
        settled_ms: float | None = ...,
        deadline_seconds: float | None = ...,
    ) -> Trace: ...


def wait_for_whole(
    observatory: Observatory,
    trace_id: str,
    until: Callable[[Trace], object],
    orphans: int,
    settled_ms: float,
    deadline_seconds: float,
) -> Trace:
    """The trace once it is complete.

    Complete is: no new spans for `settled_ms`, no more than `orphans` spans whose parent is
    missing, and `until` is true of it. When that isn't so by the deadline the test fails, and shows
    what is there.
    """
    __tracebackhide__ = True
    deadline = time.monotonic() + deadline_seconds
    while True:
        is_late = time.monotonic() > deadline
        try:
            trace = Trace(observatory.trace(trace_id))
        except TraceNotFound:
            if is_late:
                said = f"nothing of trace {trace_id} came within {deadline_seconds:g} s"
                raise pytest.fail.Exception(said) from None
        else:
            lacking = _lacking(trace, until, orphans, settled_ms)
            if lacking is None:
                return trace
            if is_late:
                raise trace.failure(f"a complete trace within {deadline_seconds:g} s", lacking)
        time.sleep(POLL_SECONDS)


def _lacking(
    trace: Trace, until: Callable[[Trace], object], orphans: int, settled_ms: float
) -> str | None:
    """Why the trace isn't complete; None when it is."""
    journey = trace.journey
    if journey["orphans"] > orphans:
        return f"{journey['orphans']} spans whose parent is not stored"
    if not until(trace):
        return "not what was waited for"
    if journey["last_received_ms_ago"] <= settled_ms:
        return f"the last span {journey['last_received_ms_ago']:.0f} ms ago"
    return None
