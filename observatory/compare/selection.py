"""A selection of traces: a filter and a time range."""

import time
from dataclasses import dataclass

import duckdb

from observatory.compare.filter import Tree
from observatory.compare.matching import Condition

NANOS_PER_MS = 1_000_000
INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Selection:
    """The traces that match ``tree`` and started in [``from_ms``, ``to_ms``), in Unix ms."""

    tree: Tree | None = None
    from_ms: float | None = None
    to_ms: float | None = None

    def condition(self, reader: duckdb.DuckDBPyConnection) -> Condition:
        """Return the SQL condition on ``trace_digests as t``."""
        condition = Condition(reader)
        if self.from_ms is not None:
            condition.require("t.started >= {}", nanos(self.from_ms))
        if self.to_ms is not None:
            condition.require("t.started < {}", nanos(self.to_ms))
        condition.matches(self.tree)
        return condition


def nanos(ms: float) -> int:
    """Convert Unix milliseconds to nanoseconds, limited to what the store's columns hold."""
    return max(0, min(INT64_MAX, round(ms * NANOS_PER_MS)))


def now_ms() -> float:
    """Return the current time in Unix milliseconds."""
    return time.time() * 1000
