"""Compare how long answers take, on a machine that may be busy with other things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# What a user notices: it takes half as long again, and so much longer.
NOTICED_TIMES = 1.5
NOTICED_MS = 50

#: The trace of a question, and how many milliseconds the answer took.
Answer = tuple[str, float]


@dataclass(frozen=True)
class LatencyComparison:
    """The answers that may be slow and those that they are held against, and each's quickest:
    what a busy machine adds to an answer comes and goes."""

    maybe_slow: Sequence[Answer]
    usual: Sequence[Answer]

    @property
    def slow_ms(self) -> float:
        """The quickest of those that may be slow."""
        return min(took for _, took in self.maybe_slow)

    @property
    def fast_ms(self) -> float:
        """The quickest of the others."""
        return min(took for _, took in self.usual)

    @property
    def is_slower(self) -> bool:
        """Whether somebody would notice."""
        return (
            self.slow_ms > NOTICED_TIMES * self.fast_ms and self.slow_ms > self.fast_ms + NOTICED_MS
        )

    @property
    def trace_ids(self) -> list[str]:
        """The traces of all, first of those that may be slow."""
        return [trace_id for trace_id, _ in (*self.maybe_slow, *self.usual)]
