"""The heatmap: traces by when they began and, on a logarithmic scale, how long they took."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import duckdb

from observatory.compare.selection import NANOS_PER_MS, Selection, nanos, now_ms
from observatory.compare.snapshot import snapshot
from observatory.schemas.overview import Heatmap, HeatmapRow

# Where nobody says from when to when, times count that lie within so many times the spread of
# the middle 98 %, or within a day of it; the clock of the rest was off.
FAR = 20
NEAR_MS = 24 * 3600_000.0
# A last trace that is older than this, and than nine tenths of the range, ends the range.
RECENT_MS = 15 * 60_000.0
LEAST_WIDTH_MS = 1_000.0
SHORTEST_MS = 0.01
THIRDS = 3

# What a filter finds, so that it is looked for once.
SHOWN = """
create or replace temp table shown as
select started, duration_ms, errors, subject, spans, covered, orphans
from trace_digests as t where {condition}
"""
SUMS = """
select count(*), count(*) filter (where errors > 0), count(distinct subject),
    sum(covered) / sum(spans), coalesce(sum(orphans), 0)::bigint,
    quantile_cont(duration_ms, [0.5, 0.95, 0.99]), min(duration_ms), max(duration_ms)
from {shown}
"""
MIDDLE = "select quantile_disc(started, [0.01, 0.99]) from {shown}"
NEAR = """
select min(started), max(started) from {shown} and t.started >= $first and t.started <= $last
"""
SCALE = """
select min(duration_ms), max(duration_ms) from {shown}
    and t.started >= $first and t.started < $last
"""
CELLS = """
select
    least((t.started - $first) // $width, $columns - 1)::integer as "column",
    greatest(0, least(floor((ln(greatest(duration_ms, $least)) - ln($least)) / $step), $rows - 1)
        )::integer as "row",
    count(*), count(*) filter (where errors > 0)
from {shown} and t.started >= $first and t.started < $last
group by all order by all
"""


def heatmap(
    reader: duckdb.DuckDBPyConnection,
    selection: Selection,
    columns: int,
    rows: int,
    revision: str,
) -> Heatmap:
    """The heatmap of the selected traces, of ``columns`` by ``rows`` cells."""
    with snapshot(reader):
        shown = _Shown(reader, selection)
        total, errors, orders, coverage, orphans, quantiles, shortest, longest = shown.row(SUMS)
        ranged = selection.from_ms is not None and selection.to_ms is not None
        extent = _extent(shown) if total and not ranged else None
        from_ms, to_ms = _range(selection, extent)
        column_ms = (to_ms - from_ms) / columns
        asked = {"first": nanos(from_ms), "last": max(nanos(to_ms), nanos(from_ms) + 1)}
        if extent is not None:  # some traces may be outside
            shortest, longest = shown.row(SCALE, asked)
        scale, step = _scale(shortest, longest, rows)
        cells = shown.rows(
            CELLS,
            asked
            | {
                "width": max(1, nanos(column_ms)),
                "columns": columns,
                "rows": rows,
                "least": scale[0]["least_ms"],
                "step": step,
            },
        )
    p50, p95, p99 = quantiles or (None, None, None)
    return {
        "revision": revision,
        "from_ms": from_ms,
        "to_ms": to_ms,
        "column_ms": column_ms,
        "rows": scale,
        "cells": [(column, row, traces, errors) for column, row, traces, errors in cells],
        "outside": total - sum(cell[2] for cell in cells),
        "total": total,
        "errors": errors,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "orders": orders,
        "coverage": coverage,
        "orphans": orphans,
    }


class _Shown:
    """The selected traces, to be asked about several times."""

    def __init__(self, reader: duckdb.DuckDBPyConnection, selection: Selection) -> None:
        self._reader = reader
        condition = selection.condition(reader)
        if selection.tree is None:  # to copy them would take longer than to find them again
            self._sql = f"trace_digests as t where {condition.sql}"
            self._values = condition.values
        else:
            reader.execute(SHOWN.format(condition=condition.sql), condition.values)
            self._sql, self._values = "shown as t where true", {}

    def rows(self, query: str, asked: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a query in which ``{shown}`` ends in a condition."""
        values = {**self._values, **(asked or {})}
        return self._reader.execute(query.format(shown=self._sql), values).fetchall()

    def row(self, query: str, asked: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        """The only row of a query."""
        return self.rows(query, asked)[0]


def _extent(shown: _Shown) -> tuple[float, float]:
    """When the first and the last trace began that aren't far from all others, in ms."""
    low, high = (time / NANOS_PER_MS for time in shown.row(MIDDLE)[0])
    reach = max(NEAR_MS, FAR * (high - low))
    near = {"first": nanos(low - reach), "last": nanos(high + reach)}
    first, last = shown.row(NEAR, near)
    return first / NANOS_PER_MS, last / NANOS_PER_MS


def _range(selection: Selection, extent: tuple[float, float] | None) -> tuple[float, float]:
    """From when to when: as asked, else from the first trace to now."""
    from_ms, to_ms, now = selection.from_ms, selection.to_ms, now_ms()
    if extent is None:
        to_ms = to_ms if to_ms is not None else max(now, (from_ms or 0.0) + LEAST_WIDTH_MS)
        from_ms = from_ms if from_ms is not None else max(0.0, to_ms - RECENT_MS)
        return from_ms, max(to_ms, from_ms + 1)
    first, last = extent
    if from_ms is None:
        from_ms = first
    if to_ms is None:
        to_ms = last + max(LEAST_WIDTH_MS, (last - from_ms) * 0.02)
        if now - last <= max(RECENT_MS, 9 * (last - from_ms)):
            to_ms = max(now, to_ms)
    return from_ms, max(to_ms, from_ms + 1)


def _scale(
    shortest: float | None, longest: float | None, rows: int
) -> tuple[list[HeatmapRow], float]:
    """The rows, each the same number of times as long as the one below, and that step's log.

    They reach from one third of a decade to another, so that they seldom move as traces come in.
    """
    low = math.floor(THIRDS * math.log10(max(SHORTEST_MS, shortest or SHORTEST_MS)))
    # A little more than the longest, which has to be below the upper edge.
    high = math.ceil(THIRDS * math.log10(max(SHORTEST_MS, longest or 1000.0) * 1.000_001))
    high = max(high, low + THIRDS)
    least, most = 10 ** (low / THIRDS), 10 ** (high / THIRDS)
    step = math.log(most / least) / rows
    edges = [least * math.exp(step * row) for row in range(rows + 1)]
    scale: list[HeatmapRow] = [{"least_ms": low, "most_ms": high} for low, high in pairwise(edges)]
    return scale, step
