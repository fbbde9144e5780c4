"""Compares latencies on a machine that may be busy with other work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# A difference that a user notices: by this factor, and by this time.
NOTICED_TIMES = 1.5
NOTICED_MS = 50

#: The trace of a request, and its latency in milliseconds.
TimedRequest = tuple[str, float]


@dataclass(frozen=True)
class LatencyComparison:
    """Requests that may be slow, and others to compare them with.

    The lowest latency of each is compared, because a busy machine delays some of the requests.
    """

    maybe_slow: Sequence[TimedRequest]
    usual: Sequence[TimedRequest]

    @property
    def slow_ms(self) -> float:
        """Return the lowest latency of the requests that may be slow."""
        return min(took for _, took in self.maybe_slow)

    @property
    def fast_ms(self) -> float:
        """Return the lowest latency of the others."""
        return min(took for _, took in self.usual)

    @property
    def is_slower(self) -> bool:
        """Return whether a user would notice the difference."""
        return (
            self.slow_ms > NOTICED_TIMES * self.fast_ms and self.slow_ms > self.fast_ms + NOTICED_MS
        )

    @property
    def trace_ids(self) -> list[str]:
        """Return all traces, those of the requests that may be slow first."""
        return [trace_id for trace_id, _ in (*self.maybe_slow, *self.usual)]
