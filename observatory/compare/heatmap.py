"""The heatmap: a histogram of traces by start time and, on a logarithmic scale, duration."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import duckdb

from observatory.compare.selection import NANOS_PER_MS, Selection, nanos, now_ms
from observatory.compare.snapshot import snapshot
from observatory.schemas.overview import Heatmap, HeatmapRow

# Without a time range, a trace is an outlier if its start is further from the middle 98 % of all
# starts than this many times their width, and further than a day: its clock was wrong.
OUTLIER_WIDTHS = 20
OUTLIER_MS = 24 * 3600_000.0
# The range ends now, unless the last trace is older than this and older than nine such ranges.
RECENT_MS = 15 * 60_000.0
WIDTH_MIN_MS = 1_000.0
SHORTEST_MS = 0.01
THIRDS = 3

# The traces that a filter matches, so that it is evaluated once.
MATCHING = """
create or replace temp table matching_traces as
select started, duration_ms, errors, subject, spans, covered, orphans
from trace_digests as t where {condition}
"""
SUMS = """
select count(*), count(*) filter (where errors > 0), count(distinct subject),
    sum(covered) / sum(spans), coalesce(sum(orphans), 0)::bigint,
    quantile_cont(duration_ms, [0.5, 0.95, 0.99]), min(duration_ms), max(duration_ms)
from {matching}
"""
MIDDLE_STARTS = "select quantile_disc(started, [0.01, 0.99]) from {matching}"
EXTENT = """
select min(started), max(started) from {matching} and t.started >= $first and t.started <= $last
"""
DURATIONS = """
select min(duration_ms), max(duration_ms) from {matching}
    and t.started >= $first and t.started < $last
"""
CELLS = """
select
    least((t.started - $first) // $width, $columns - 1)::integer as "column",
    greatest(0, least(floor((ln(greatest(duration_ms, $least)) - ln($least)) / $step), $rows - 1)
        )::integer as "row",
    count(*), count(*) filter (where errors > 0)
from {matching} and t.started >= $first and t.started < $last
group by all order by all
"""


def heatmap(
    reader: duckdb.DuckDBPyConnection,
    selection: Selection,
    columns: int,
    rows: int,
    revision: str,
) -> Heatmap:
    """Return the heatmap of the selected traces, with ``columns`` by ``rows`` cells."""
    with snapshot(reader):
        traces = _MatchingTraces(reader, selection)
        total, errors, orders, coverage, orphans, quantiles, shortest, longest = traces.row(SUMS)
        closed = selection.from_ms is not None and selection.to_ms is not None
        extent = _extent(traces) if total and not closed else None
        from_ms, to_ms = _range(selection, extent)
        column_ms = (to_ms - from_ms) / columns
        time_range = {"first": nanos(from_ms), "last": max(nanos(to_ms), nanos(from_ms) + 1)}
        if extent is not None:  # there may be outliers
            shortest, longest = traces.row(DURATIONS, time_range)
        scale, step = _scale(shortest, longest, rows)
        cells = traces.rows(
            CELLS,
            time_range
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
        "cells": [(column, row, count, failed) for column, row, count, failed in cells],
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


class _MatchingTraces:
    """The selected traces, for several queries."""

    def __init__(self, reader: duckdb.DuckDBPyConnection, selection: Selection) -> None:
        self._reader = reader
        condition = selection.condition(reader)
        if selection.tree is None:  # evaluating it again is faster than copying the traces
            self._sql = f"{{table}} as t where {condition.sql}"
            self._values = condition.values
        else:
            reader.execute(MATCHING.format(condition=condition.sql), condition.values)
            self._sql, self._values = "matching_traces as t where true", {}

    def rows(
        self, query: str, parameters: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query, in which ``{matching}`` is replaced by ``… where …``."""
        values = {**self._values, **(parameters or {})}
        # Only the sums need the view, which takes DuckDB a millisecond to plan.
        table = "trace_digests" if query is SUMS else "digested_traces"
        matching = self._sql.format(table=table)
        return self._reader.execute(query.format(matching=matching), values).fetchall()

    def row(self, query: str, parameters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        """Return the only row of a query."""
        return self.rows(query, parameters)[0]


def _extent(traces: _MatchingTraces) -> tuple[float, float]:
    """Return the starts of the first and the last trace without the outliers, in Unix ms."""
    low, high = (time / NANOS_PER_MS for time in traces.row(MIDDLE_STARTS)[0])
    margin = max(OUTLIER_MS, OUTLIER_WIDTHS * (high - low))
    first, last = traces.row(EXTENT, {"first": nanos(low - margin), "last": nanos(high + margin)})
    return first / NANOS_PER_MS, last / NANOS_PER_MS


def _range(selection: Selection, extent: tuple[float, float] | None) -> tuple[float, float]:
    """Return the time range in Unix ms: the selection's, or else from the first trace to now."""
    from_ms, to_ms, now = selection.from_ms, selection.to_ms, now_ms()
    if extent is None:
        to_ms = to_ms if to_ms is not None else max(now, (from_ms or 0.0) + WIDTH_MIN_MS)
        from_ms = from_ms if from_ms is not None else max(0.0, to_ms - RECENT_MS)
        return from_ms, max(to_ms, from_ms + 1)
    first, last = extent
    if from_ms is None:
        from_ms = first
    if to_ms is None:
        to_ms = last + max(WIDTH_MIN_MS, (last - from_ms) * 0.02)
        if now - last <= max(RECENT_MS, 9 * (last - from_ms)):
            to_ms = max(now, to_ms)
    return from_ms, max(to_ms, from_ms + 1)


def _scale(
    shortest: float | None, longest: float | None, rows: int
) -> tuple[list[HeatmapRow], float]:
    """Return the rows of the logarithmic scale, and the logarithm of the ratio between two rows.

    The scale begins and ends at thirds of a decade, so that it seldom changes as traces arrive.
    """
    low = math.floor(THIRDS * math.log10(max(SHORTEST_MS, shortest or SHORTEST_MS)))
    # Slightly more than the longest duration, which must be below the upper edge.
    high = math.ceil(THIRDS * math.log10(max(SHORTEST_MS, longest or 1000.0) * 1.000_001))
    high = max(high, low + THIRDS)
    least, most = 10 ** (low / THIRDS), 10 ** (high / THIRDS)
    step = math.log(most / least) / rows
    edges = [least * math.exp(step * row) for row in range(rows + 1)]
    scale: list[HeatmapRow] = [{"least_ms": low, "most_ms": high} for low, high in pairwise(edges)]
    return scale, step
