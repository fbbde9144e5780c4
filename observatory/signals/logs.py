"""Query log records by page, newest first, or those that arrived since a time."""

from dataclasses import dataclass, field
from typing import Any

import duckdb

from observatory.compare.selection import Selection, nanos
from observatory.journey.journey import timestamp
from observatory.journey.reading import trace_key
from observatory.schemas.signals import LogPage, LogRecord
from observatory.store.values import attributes_of

LINES = """
select time_unix_nano, rowid, severity_number, severity_text, service_name, body, event_name,
    trace_id, span_id, attributes, attribute_types
from raw_logs where {condition} order by time_unix_nano {order}, rowid {order} limit {limit:d}
"""


@dataclass(frozen=True)
class Position:
    """A record's position in the order: its time, and its row id where several share that time."""

    time_unix_nano: int
    row: int | None = None

    def __str__(self) -> str:
        return f"{self.time_unix_nano}" if self.row is None else f"{self.time_unix_nano}.{self.row}"


@dataclass(frozen=True)
class LogFilter:
    """The conditions of the records to return. All of them must hold.

    Args:
        selection: the traces and the period of the records.
        severity_at_least: the lowest OTLP severity number.
        text: words that must each occur in the body, the event name or the service name.
        trace_id: the trace of the records; None for any.
    """

    selection: Selection = field(default_factory=Selection)
    severity_at_least: int = 0
    text: str = ""
    trace_id: str | None = None


def older_lines(
    reader: duckdb.DuckDBPyConnection, log_filter: LogFilter, limit: int, before: Position | None
) -> LogPage:
    """Return the newest ``limit`` records, or the newest before a position."""
    conditions, values = _condition(reader, log_filter)
    if before is not None:
        values |= {"before": before.time_unix_nano, "row": before.row}
        conditions.append(
            "(time_unix_nano < $before or time_unix_nano = $before and rowid < $row)"
            if before.row is not None
            else "time_unix_nano < $before and $row is null"
        )
    rows = _rows(reader, conditions, values, "desc", limit + 1)
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return {
        "logs": [_line(row) for row in rows[:limit]],
        "next": str(Position(last[0], last[1])) if last else None,
    }


def newer_lines(
    reader: duckdb.DuckDBPyConnection, log_filter: LogFilter, limit: int, after: int
) -> LogPage:
    """Return the first ``limit`` records after a time, and those at exactly that time.

    The caller may have seen only some of the latter.
    """
    conditions, values = _condition(reader, log_filter)
    values["after"] = after
    newer = _rows(reader, [*conditions, "time_unix_nano > $after"], values, "asc", limit)
    same = _rows(reader, [*conditions, "time_unix_nano = $after"], values, "asc", limit)
    return {"logs": [_line(row) for row in [*same, *newer][::-1]], "next": None}


def _condition(
    reader: duckdb.DuckDBPyConnection, log_filter: LogFilter
) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = ["true"]
    values: dict[str, Any] = {}
    selection = log_filter.selection
    if selection.tree is not None:
        condition = Selection(selection.tree).condition(reader)
        values |= condition.values
        conditions.append(
            f"trace_key in (select t.trace_key from trace_digests as t where {condition.sql})"  # noqa: S608
        )
    for name, ms, operator in (("since", selection.from_ms, ">="), ("until", selection.to_ms, "<")):
        if ms is not None:
            conditions.append(f"time_unix_nano {operator} ${name}")
            values[name] = nanos(ms)
    if log_filter.severity_at_least:
        conditions.append("severity_number >= $severity")
        values["severity"] = log_filter.severity_at_least
    if log_filter.trace_id is not None:
        conditions.append("trace_key = $key and trace_id = $trace")
        values |= {"key": trace_key(log_filter.trace_id), "trace": log_filter.trace_id}
    for number, word in enumerate(log_filter.text.lower().split()):
        columns = ("body", "event_name", "service_name")
        matches = " or ".join(f"contains(lower({column}), $word{number})" for column in columns)
        conditions.append(f"({matches})")
        values[f"word{number}"] = word
    return conditions, values


def _rows(
    reader: duckdb.DuckDBPyConnection,
    conditions: list[str],
    values: dict[str, Any],
    order: str,
    limit: int,
) -> list[tuple[Any, ...]]:
    query = LINES.format(condition=" and ".join(conditions), order=order, limit=limit)
    return list(reader.execute(query, values).fetchall())


def _line(row: tuple[Any, ...]) -> LogRecord:
    return {
        "time_unix_nano": str(row[0]),
        "time": timestamp(row[0]),
        "severity_number": row[2],
        "severity_text": row[3],
        "service": row[4],
        "body": row[5],
        "event_name": row[6],
        "trace_id": row[7],
        "span_id": row[8],
        "attributes": attributes_of(row[9], row[10]),
    }
