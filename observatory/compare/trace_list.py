"""The list of the traces that match, sorted and in pages."""

from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import duckdb

from observatory.compare.matching import Condition
from observatory.journey.conventions import NO_CONVENTIONS, Conventions
from observatory.journey.journey import timestamp
from observatory.schemas.traces import TraceLine
from observatory.store.promotions import Promotions, promotions_of

Sort = Literal["start", "duration", "spans", "errors"]
Order = Literal["desc", "asc"]
SORTS: tuple[Sort, ...] = get_args(Sort)
ORDERS: tuple[Order, ...] = get_args(Order)

_SORTED_BY: dict[Sort, str] = {
    "start": "t.started",
    "duration": "t.ended - t.started",
    "spans": "t.spans",
    "errors": "t.errors",
}


@dataclass(frozen=True)
class Cursor:
    """The last trace of a page: its sort value, and its id to break ties."""

    value: int
    trace_id: str

    def __str__(self) -> str:
        return f"{self.value}-{self.trace_id}"


@dataclass(frozen=True)
class Page:
    """A page of the list: up to ``limit`` traces in this order, after ``cursor``."""

    limit: int
    sort: Sort = "start"
    order: Order = "desc"
    cursor: Cursor | None = None


def list_traces(
    reader: duckdb.DuckDBPyConnection,
    condition: Condition,
    page: Page,
    conventions: Conventions = NO_CONVENTIONS,
) -> tuple[int, list[TraceLine], Cursor | None]:
    """Return the number of traces that match, a page of them, and the next page's cursor."""
    (total,) = reader.execute(
        f"select count(*) from trace_digests as t where {condition.sql}",
        condition.values,
    ).fetchone() or (0,)
    sort_sql = _SORTED_BY[page.sort]
    if page.cursor is not None:
        after = "<" if page.order == "desc" else ">"
        value, trace_id = page.cursor.value, page.cursor.trace_id
        condition.require(
            f"{sort_sql} {after} {{}} or {sort_sql} = {{}} and t.trace_id > {{}}",
            value,
            value,
            trace_id,
        )
    rows = reader.execute(
        f"""
        select t.trace, {sort_sql} as sorted_by from trace_digests as t where {condition.sql}
        order by sorted_by {page.order}, t.trace_id limit {page.limit + 1:d}
        """,
        condition.values,
    ).fetchall()
    lines = trace_lines(reader, [trace for trace, _ in rows[: page.limit]], conventions)
    more = len(rows) > page.limit
    next_cursor = Cursor(rows[page.limit - 1][1], lines[-1]["trace_id"]) if more else None
    return total, lines, next_cursor


def trace_lines(
    reader: duckdb.DuckDBPyConnection, traces: list[int], conventions: Conventions
) -> list[TraceLine]:
    """Return a line for each trace, in the given order."""
    parameters = {"traces": traces}
    services: dict[int, list[str]] = {}
    for trace, service in reader.execute(
        """
        select trace, service from trace_services
        where trace in (select unnest($traces::ubigint[])) order by began, service
        """,
        parameters,
    ).fetchall():
        services.setdefault(trace, []).append(service)
    rows: dict[int, tuple[Any, ...]] = {
        row[0]: row
        for row in reader.execute(
            """
            select trace, trace_id, root, root_service, subject, state, spans, errors,
                orphans, covered, started, duration_ms
            from trace_digests where trace in (select unnest($traces::ubigint[]))
            """,
            parameters,
        ).fetchall()
    }
    promotions = promotions_of(reader)
    return [_line(rows[trace], services[trace], promotions, conventions) for trace in traces]


def _line(
    row: tuple[Any, ...], services: list[str], promotions: Promotions, conventions: Conventions
) -> TraceLine:
    line: TraceLine = {
        "trace_id": row[1],
        "root": row[2],
        "root_service": row[3],
        "services": services,
        "spans": row[6],
        "errors": row[7],
        "orphans": row[8],
        "coverage": row[9] / row[6],
        "started_unix_nano": str(row[10]),
        "started_at": timestamp(row[10]),
        "duration_ms": row[11],
        "state_tone": conventions.tone(row[5]),
    }
    return cast("TraceLine", line | promotions.fields(row[4], row[5]))
