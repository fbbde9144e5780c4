"""Stream stored telemetry as one OTLP/JSON document."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from observatory.import_export.metrics_json import resource_metrics
from observatory.import_export.otlp_json import Resources, Row, resource_logs, resource_spans

# Chunk sizes, which bound the memory whatever the size of the document.
TRACES_PER_CHUNK = 200
ROWS_PER_CHUNK = 2_000

SPANS = """
select * from whole_spans where trace_key in (select unnest($keys::ubigint[]))
order by start_unix_nano, received_unix_nano
"""
LOGS = """
select * from raw_logs where trace_key in (select unnest($keys::ubigint[]))
order by time_unix_nano
"""
LOGS_WITHOUT_TRACE = """
select *, rowid as row from raw_logs
where trace_key is null and rowid > $after order by rowid limit $limit
"""
METRICS = "select *, rowid as row from raw_metrics where rowid > $after order by rowid limit $limit"
LOG_TRACES_WITHOUT_SPANS = """
select distinct trace_key from raw_logs
where trace_key is not null and trace_key not in (select trace_key from raw_spans)
"""
RESOURCES = "select resource_id, attributes, attribute_types from resources"


def export(
    reader: duckdb.DuckDBPyConnection, keys: Sequence[int], *, everything: bool = False
) -> Iterator[bytes]:
    """Yield the bytes of ``{"resourceSpans": […], "resourceLogs": […], "resourceMetrics": […]}``.

    The last two members are left out if they would be empty: some importers know only spans.

    Args:
        reader: a cursor used by nothing else until the end.
        keys: the ``trace_key`` of each trace to export.
        everything: whether to export also the metrics, and the logs that belong to no stored trace.
    """
    resources: dict[int, tuple[dict[str, str], str]] = {
        id_: (texts, types) for id_, texts, types in reader.execute(RESOURCES).fetchall()
    }
    yield b'{"resourceSpans":['
    yield from _joined(_spans(reader, keys, resources))
    yield b"]"
    if everything:
        log_keys = [key for (key,) in reader.execute(LOG_TRACES_WITHOUT_SPANS).fetchall()]
        keys = [*keys, *log_keys]
    yield from _member("resourceLogs", _logs(reader, keys, resources, everything))
    if everything:
        points = _row_chunks(reader, METRICS)
        yield from _member(
            "resourceMetrics", (resource_metrics(rows, resources) for rows in points)
        )
    yield b"}"


def _member(name: str, chunks: Iterator[list[dict[str, Any]]]) -> Iterator[bytes]:
    started = False
    for chunk in _joined(chunks):
        yield chunk if started else f',"{name}":['.encode() + chunk
        started = True
    if started:
        yield b"]"


def _joined(chunks: Iterator[list[dict[str, Any]]]) -> Iterator[bytes]:
    started = False
    for items in chunks:
        text = ",".join(
            json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items
        )
        yield ("," * started + text).encode()
        started = True


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
        for rows in _row_chunks(reader, LOGS_WITHOUT_TRACE):
            yield resource_logs(rows, resources)


def _row_chunks(reader: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of ``query`` in chunks; its column ``row`` is the cursor to the next one."""
    after = -1
    while rows := _rows(reader, query, {"after": after, "limit": ROWS_PER_CHUNK}):
        after = rows[-1]["row"]
        yield rows


def _chunks(keys: Sequence[int]) -> Iterator[list[int]]:
    for first in range(0, len(keys), TRACES_PER_CHUNK):
        yield list(keys[first : first + TRACES_PER_CHUNK])


def _rows(
    reader: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    result = reader.execute(query, parameters)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
