"""Wait until a trace is complete: no span has arrived for a while, and no parent is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import pytest

from observatory.client import Observatory, TraceNotFound
from tests.trace_plugin.trace import Trace

POLL_SECONDS = 0.1


class WholeTrace(Protocol):
    """The type of the fixture `whole_trace`: call it with a trace id."""

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
    """Wait until a trace is complete and return it.

    A trace is complete if no span has arrived for `settled_ms`, at most `orphans` spans lack their
    parent, and `until` returns true for it. If it is not complete by the deadline, the test fails
    and shows the trace as it is.
    """
    __tracebackhide__ = True
    deadline = time.monotonic() + deadline_seconds
    while True:
        is_late = time.monotonic() > deadline
        try:
            trace = Trace(observatory.trace(trace_id))
        except TraceNotFound:
            if is_late:
                message = f"no span of trace {trace_id} arrived within {deadline_seconds:g} s"
                raise pytest.fail.Exception(message) from None
        else:
            incomplete_reason = _incomplete_reason(trace, until, orphans, settled_ms)
            if incomplete_reason is None:
                return trace
            if is_late:
                raise trace.failure(
                    f"a complete trace within {deadline_seconds:g} s", incomplete_reason
                )
        time.sleep(POLL_SECONDS)


def _incomplete_reason(
    trace: Trace, until: Callable[[Trace], object], orphans: int, settled_ms: float
) -> str | None:
    """Return why the trace is not complete; None if it is."""
    journey = trace.journey
    if journey["orphans"] > orphans:
        return f"{journey['orphans']} spans whose parent is not stored"
    if not until(trace):
        return "the condition `until` does not hold"
    if journey["last_received_ms_ago"] <= settled_ms:
        return f"a span that arrived {journey['last_received_ms_ago']:.0f} ms ago"
    return None
