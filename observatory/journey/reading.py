"""Read one trace from the store: its decoded spans and log records, and its journey."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from observatory.journey.conventions import NO_CONVENTIONS, Conventions
from observatory.journey.journey import journey_of
from observatory.journey.legs import StoredTrace
from observatory.schemas.journey import IncomingLink, Journey
from observatory.store.promotions import promotions_of
from observatory.store.values import attributes_of

# A browser draws this many rows without freezing.
SPANS_LIMIT = 10_000
LOGS_LIMIT = 10_000
LINKED_TRACES_LIMIT = 1_000
INCOMING_LINKS_LIMIT = 100

# Rows are stored in the order of arrival, so a range of arrival times avoids scanning the table.
ARRIVAL_TIMES = """
select watermark as first, null as last from digest_state
union all
select first_received, last_received from trace_digests where trace_key = $key
"""
SPANS = """
select * exclude (trace_key) from raw_spans where trace_key = $key and trace_id = $trace_id
    and (received_unix_nano between $first and $last or received_unix_nano > $digested)
"""
# Sorting or limiting costs about as much as the scan; only truncated traces need it.
FIRST_SPANS = f"{SPANS} order by start_unix_nano, received_unix_nano limit $limit"
LOGS = """
select * exclude (trace_key)
from raw_logs where trace_key = $key and trace_id = $trace_id
order by time_unix_nano limit $limit
"""
# The ids are literals, so that DuckDB filters them while scanning instead of joining.
RESOURCES = """
select resource_id, attributes, attribute_types from resources where resource_id in ({ids})
"""
ATTRIBUTE_SCHEMAS = """
select schema_id, attribute_keys, attribute_types from attribute_schemas where schema_id in ({ids})
"""
INCOMING_LINKS = """
select trace_id, span_id, service, name, target_span_id from trace_links
where target = hash($trace_id) order by trace_id, span_id limit $limit
"""
STORED_TRACES = "select distinct trace_id from raw_spans where trace_key in ({keys})"


def read_journey(
    reader: duckdb.DuckDBPyConnection,
    trace_id: str,
    *,
    correct_skew: bool = False,
    conventions: Conventions = NO_CONVENTIONS,
    grace_seconds: float = 0.0,
) -> Journey | None:
    """Return the journey of one trace; None when it has no stored spans.

    Args:
        reader: a cursor of a store with digest tables, which need not be up to date.
        trace_id: 32 hexadecimal digits, in lower case.
        correct_skew: whether to correct the times of services whose clocks disagree.
        conventions: what the observed app's attributes mean.
        grace_seconds: how long an absent parent is awaited after the last span arrived.
    """
    spans = read_spans(reader, trace_id, SPANS_LIMIT + 1)
    if not spans:
        return None
    truncated = len(spans) > SPANS_LIMIT
    del spans[SPANS_LIMIT:]
    logs = read_logs(reader, trace_id)
    stored_traces = _stored_traces(reader, trace_id, spans)
    trace = StoredTrace(
        trace_id,
        spans,
        logs,
        stored_traces,
        _linked_from(reader, trace_id),
        truncated,
        promotions_of(reader),
    )
    return journey_of(
        trace, correct_skew=correct_skew, conventions=conventions, grace_seconds=grace_seconds
    )


def trace_key(trace_id: str) -> int:
    """Return the key by which the store joins: the halves of the trace id, XORed."""
    return int(trace_id[:16], 16) ^ int(trace_id[16:], 16)


def read_spans(
    reader: duckdb.DuckDBPyConnection, trace_id: str, limit: int = SPANS_LIMIT
) -> list[dict[str, Any]]:
    """Return the first ``limit`` spans of one trace, without copies.

    ``attributes``, ``resource``, ``events`` and ``links`` are decoded.
    """
    parameters = {"trace_id": trace_id, **_arrival_times(reader, trace_key(trace_id))}
    rows = _rows(reader, SPANS, parameters, limit)
    if len(rows) == limit:
        rows = _rows(reader, FIRST_SPANS, parameters | {"limit": limit}, limit)
    # An exporter that got no response sends again; the copy that arrived first counts.
    by_id: dict[str, dict[str, Any]] = {}
    for span in rows:
        copy = by_id.setdefault(span["span_id"], span)
        if span["received_unix_nano"] < copy["received_unix_nano"]:
            by_id[span["span_id"]] = span
    resources = _resources(reader, by_id.values())
    schemas = _attribute_schemas(reader, by_id.values())
    for span in by_id.values():
        keys, types = schemas[span["schema_id"]]
        texts = dict(zip(keys, span["attribute_values"], strict=True))
        span["attributes"] = attributes_of(texts, types)
        span["resource"] = resources.get(span["resource_id"], {})
        span["events"] = _list(span["events"])
        span["links"] = _list(span["links"])
    return list(by_id.values())


def _arrival_times(reader: duckdb.DuckDBPyConnection, key: int) -> dict[str, int]:
    """Return when the trace's digested spans arrived, and the time up to which all are digested."""
    rows = reader.execute(ARRIVAL_TIMES, {"key": key}).fetchall()
    digested = next(first for first, last in rows if last is None)
    ranges = [(first, last) for first, last in rows if last is not None]
    return {
        "key": key,
        "first": min((first for first, _ in ranges), default=0),
        "last": max((last for _, last in ranges), default=-1),
        "digested": digested,
    }


def read_logs(reader: duckdb.DuckDBPyConnection, trace_id: str) -> list[dict[str, Any]]:
    """Return the log records with the trace's id, with decoded ``attributes``."""
    parameters = {"key": trace_key(trace_id), "trace_id": trace_id, "limit": LOGS_LIMIT}
    lines = _rows(reader, LOGS, parameters, LOGS_LIMIT)
    for line in lines:
        line["attributes"] = attributes_of(line["attributes"], line["attribute_types"])
    return lines


def _rows(
    reader: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any], limit: int
) -> list[dict[str, Any]]:
    result = reader.execute(query, parameters)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchmany(limit)]


def _resources(
    reader: duckdb.DuckDBPyConnection, spans: Iterable[Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    ids = {span["resource_id"] for span in spans}
    if not ids:
        return {}
    rows = reader.execute(RESOURCES.format(ids=_list_of(ids))).fetchall()
    return {id_: attributes_of(texts, types) for id_, texts, types in rows}


def _attribute_schemas(
    reader: duckdb.DuckDBPyConnection, spans: Iterable[Mapping[str, Any]]
) -> dict[int, tuple[list[str], str]]:
    ids = {span["schema_id"] for span in spans}
    if not ids:
        return {}
    rows = reader.execute(ATTRIBUTE_SCHEMAS.format(ids=_list_of(ids))).fetchall()
    return {id_: (keys, types) for id_, keys, types in rows}


def _stored_traces(
    reader: duckdb.DuckDBPyConnection, trace_id: str, spans: Iterable[Mapping[str, Any]]
) -> set[str]:
    linked = {link["trace_id"] for span in spans for link in span["links"]}
    stored = {trace_id} & linked
    others = [id_ for id_ in linked - {trace_id} if len(id_) == 32][:LINKED_TRACES_LIMIT]
    if others:
        keys = _list_of(trace_key(id_) for id_ in others)
        rows = reader.execute(STORED_TRACES.format(keys=keys)).fetchall()
        stored.update({id_ for (id_,) in rows} & linked)
    return stored


def _linked_from(reader: duckdb.DuckDBPyConnection, trace_id: str) -> list[IncomingLink]:
    parameters = {"trace_id": trace_id, "limit": INCOMING_LINKS_LIMIT}
    return [
        {
            "trace_id": linking_trace,
            "span_id": span_id,
            "service": service,
            "name": name,
            "to_span_id": to_span_id,
        }
        for linking_trace, span_id, service, name, to_span_id in reader.execute(
            INCOMING_LINKS, parameters
        ).fetchall()
    ]


def _list_of(numbers: Iterable[int]) -> str:
    return ", ".join(f"{number:d}" for number in numbers)


def _list(text: str) -> list[dict[str, Any]]:
    return [] if text == "[]" else json.loads(text)
