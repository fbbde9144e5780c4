"""Log lines, newest first, a page at a time, or those that came since."""

from dataclasses import dataclass, field
from typing import Any

import duckdb

from observatory.compare.selection import Selection, nanos
from observatory.journey.journey import timestamp
from observatory.journey.reading import trace_key
from observatory.schemas.signals import LogPage, StoredLine
from observatory.store.values import attributes_of

LINES = """
select time_unix_nano, rowid, severity_number, severity_text, service_name, body, event_name,
    trace_id, span_id, attributes, attribute_types
from raw_logs where {condition} order by time_unix_nano {order}, rowid {order} limit {limit:d}
"""


@dataclass(frozen=True)
class Position:
    """A line's place among the others: its time, and its row where several have the same."""

    time_unix_nano: int
    row: int | None = None

    def __str__(self) -> str:
        return f"{self.time_unix_nano}" if self.row is None else f"{self.time_unix_nano}.{self.row}"


@dataclass(frozen=True)
class Question:
    """Which lines: those of the traces and the time of ``selection``, at least as severe, whose
    body, event or service has every word of ``text``."""

    selection: Selection = field(default_factory=Selection)
    severity_at_least: int = 0
    text: str = ""
    trace_id: str | None = None


def older_lines(
    reader: duckdb.DuckDBPyConnection, question: Question, limit: int, before: Position | None
) -> LogPage:
    """The newest ``limit`` lines, or the newest before a place."""
    parts, values = _condition(reader, question)
    if before is not None:
        values |= {"before": before.time_unix_nano, "row": before.row}
        parts.append(
            "(time_unix_nano < $before or time_unix_nano = $before and rowid < $row)"
            if before.row is not None
            else "time_unix_nano < $before and $row is null"
        )
    found = _rows(reader, parts, values, "desc", limit + 1)
    more = len(found) > limit
    last = found[limit - 1] if more else None
    return {
        "logs": [_line(row) for row in found[:limit]],
        "next": str(Position(last[0], last[1])) if last else None,
    }


def newer_lines(
    reader: duckdb.DuckDBPyConnection, question: Question, limit: int, after: int
) -> LogPage:
    """The first ``limit`` lines after a time, and those of that very time, which the one who asks
    may have seen only some of."""
    parts, values = _condition(reader, question)
    values["after"] = after
    newer = _rows(reader, [*parts, "time_unix_nano > $after"], values, "asc", limit)
    same = _rows(reader, [*parts, "time_unix_nano = $after"], values, "asc", limit)
    return {"logs": [_line(row) for row in [*same, *newer][::-1]], "next": None}


def _condition(
    reader: duckdb.DuckDBPyConnection, question: Question
) -> tuple[list[str], dict[str, Any]]:
    parts: list[str] = ["true"]
    values: dict[str, Any] = {}
    selection = question.selection
    if selection.tree is not None:
        condition = Selection(selection.tree).condition(reader)
        values |= condition.values
        parts.append(
            f"trace_key in (select t.trace_key from trace_digests as t where {condition.sql})"  # noqa: S608
        )
    for name, ms, operator in (("since", selection.from_ms, ">="), ("until", selection.to_ms, "<")):
        if ms is not None:
            parts.append(f"time_unix_nano {operator} ${name}")
            values[name] = nanos(ms)
    if question.severity_at_least:
        parts.append("severity_number >= $severity")
        values["severity"] = question.severity_at_least
    if question.trace_id is not None:
        parts.append("trace_key = $key and trace_id = $trace")
        values |= {"key": trace_key(question.trace_id), "trace": question.trace_id}
    for number, word in enumerate(question.text.lower().split()):
        columns = ("body", "event_name", "service_name")
        found = " or ".join(f"contains(lower({column}), $word{number})" for column in columns)
        parts.append(f"({found})")
        values[f"word{number}"] = word
    return parts, values


def _rows(
    reader: duckdb.DuckDBPyConnection,
    parts: list[str],
    values: dict[str, Any],
    order: str,
    limit: int,
) -> list[tuple[Any, ...]]:
    query = LINES.format(condition=" and ".join(parts), order=order, limit=limit)
    return list(reader.execute(query, values).fetchall())


def _line(row: tuple[Any, ...]) -> StoredLine:
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
