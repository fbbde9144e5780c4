"""Which traces a question is about: a filter and a range of time."""

import time
from dataclasses import dataclass

import duckdb

from observatory.compare.filter import Tree
from observatory.compare.matching import Condition

NANOS_PER_MS = 1_000_000
INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Selection:
    """Traces that match ``tree`` and began from ``from_ms`` until before ``to_ms`` (unix time)."""

    tree: Tree | None = None
    from_ms: float | None = None
    to_ms: float | None = None

    def condition(self, reader: duckdb.DuckDBPyConnection) -> Condition:
        """The condition on ``trace_digests as t``."""
        condition = Condition(reader)
        if self.from_ms is not None:
            condition.require("t.started >= {}", nanos(self.from_ms))
        if self.to_ms is not None:
            condition.require("t.started < {}", nanos(self.to_ms))
        condition.matches(self.tree)
        return condition


def nanos(ms: float) -> int:
    """Milliseconds since 1970 as the nanoseconds that rows have."""
    return max(0, min(INT64_MAX, round(ms * NANOS_PER_MS)))


def now_ms() -> float:
    """The time, in milliseconds since 1970."""
    return time.time() * 1000
