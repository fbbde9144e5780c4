"""Telemetry out of the store as one OTLP/JSON document, piece by piece."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from observatory.import_export.metrics_json import resource_metrics
from observatory.import_export.otlp_json import Resources, Row, resource_logs, resource_spans

# What is in memory at once, whatever the size of the document.
TRACES_AT_ONCE = 200
ROWS_AT_ONCE = 2_000

SPANS = """
select * from whole_spans where trace_key in (select unnest($keys::ubigint[]))
order by start_unix_nano, received_unix_nano
"""
LOGS = """
select * from raw_logs where trace_key in (select unnest($keys::ubigint[]))
order by time_unix_nano
"""
LOGS_OF_NO_TRACE = """
select *, rowid as row from raw_logs
where trace_key is null and rowid > $after order by rowid limit $limit
"""
METRICS = "select *, rowid as row from raw_metrics where rowid > $after order by rowid limit $limit"
LOGS_OF_LOST_TRACES = """
select distinct trace_key from raw_logs
where trace_key is not null and trace_key not in (select trace_key from raw_spans)
"""
RESOURCES = "select resource_id, attributes, attribute_types from resources"


def export(
    reader: duckdb.DuckDBPyConnection, keys: Sequence[int], *, everything: bool = False
) -> Iterator[bytes]:
    """The pieces of ``{"resourceSpans": […], "resourceLogs": […], "resourceMetrics": […]}``.

    The last two are left out where there is nothing in them: some readers know only the spans.

    Args:
        reader: a cursor that nothing else uses until the last piece.
        keys: the ``trace_key`` of each trace to export.
        everything: whether to export, besides, the logs that belong to no stored trace, and the
            metrics, which belong to none.
    """
    resources: dict[int, tuple[dict[str, str], str]] = {
        id_: (texts, types) for id_, texts, types in reader.execute(RESOURCES).fetchall()
    }
    yield b'{"resourceSpans":['
    yield from _joined(_spans(reader, keys, resources))
    yield b"]"
    if everything:
        lost = [key for (key,) in reader.execute(LOGS_OF_LOST_TRACES).fetchall()]
        keys = [*keys, *lost]
    yield from _named("resourceLogs", _logs(reader, keys, resources, everything))
    if everything:
        points = _rows_in_turn(reader, METRICS)
        yield from _named("resourceMetrics", (resource_metrics(rows, resources) for rows in points))
    yield b"}"


def _named(name: str, pieces: Iterator[list[dict[str, Any]]]) -> Iterator[bytes]:
    begun = False
    for piece in _joined(pieces):
        yield piece if begun else f',"{name}":['.encode() + piece
        begun = True
    if begun:
        yield b"]"


def _joined(pieces: Iterator[list[dict[str, Any]]]) -> Iterator[bytes]:
    begun = False
    for items in pieces:
        text = ",".join(
            json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items
        )
        yield ("," * begun + text).encode()
        begun = True


def _spans(
    reader: duckdb.DuckDBPyConnection, keys: Sequence[int], resources: Resources
) -> Iterator[list[dict[str, Any]]]:
    for chunk in _chunks(keys):
        first: dict[tuple[str, str], Row] = {}
        for row in _rows(reader, SPANS, {"keys": chunk}):
            known = first.setdefault((row["trace_id"], row["span_id"]), row)
            if row["received_unix_nano"] < known["received_unix_nano"]:
                first[row["trace_id"], row["span_id"]] = row
        if first:
            yield resource_spans(first.values(), resources)


def _logs(
    reader: duckdb.DuckDBPyConnection,
    keys: Sequence[int],
    resources: Resources,
    everything: bool,
) -> Iterator[list[dict[str, Any]]]:
    for chunk in _chunks(keys):
        rows = _rows(reader, LOGS, {"keys": chunk})
        if rows:
            yield resource_logs(rows, resources)
    if everything:
        for rows in _rows_in_turn(reader, LOGS_OF_NO_TRACE):
            yield resource_logs(rows, resources)


def _rows_in_turn(reader: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[dict[str, Any]]]:
    """All that ``query`` finds, some at a time; its column ``row`` says where to go on."""
    after = -1
    while rows := _rows(reader, query, {"after": after, "limit": ROWS_AT_ONCE}):
        after = rows[-1]["row"]
        yield rows


def _chunks(keys: Sequence[int]) -> Iterator[list[int]]:
    for begin in range(0, len(keys), TRACES_AT_ONCE):
        yield list(keys[begin : begin + TRACES_AT_ONCE])


def _rows(
    reader: duckdb.DuckDBPyConnection, query: str, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    result = reader.execute(query, asked)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
