"""One trace out of the store: its spans and log lines, decoded, and the journey they make."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from observatory.journey.journey import journey_of
from observatory.journey.legs import StoredTrace
from observatory.schemas.journey import Journey
from observatory.store.promotions import promotions_of
from observatory.store.values import attributes_of

# More rows than a person reads, and than a page draws without getting stuck.
SPANS_LIMIT = 10_000
LOGS_LIMIT = 10_000
LINKED_TRACES_LIMIT = 1_000

# Rows lie in the file as they came: who knows when a trace's did needn't look for them everywhere.
RECEIVED = """
select watermark as first, null as last from digest_state
union all
select first_received, last_received from trace_digests where trace_key = $key
"""
SPANS = """
select * exclude (trace_key) from raw_spans where trace_key = $key and trace_id = $trace_id
    and (received_unix_nano between $first and $last or received_unix_nano > $digested)
"""
# A sort, or even a limit, costs about as much as the rest; only a trace that is cut needs them.
FIRST_SPANS = f"{SPANS} order by start_unix_nano, received_unix_nano limit $limit"
LOGS = """
select * exclude (trace_key)
from raw_logs where trace_key = $key and trace_id = $trace_id
order by time_unix_nano limit $limit
"""
# Numbers stand in these as they are: DuckDB then looks for them while it scans, and joins nothing.
RESOURCES = """
select resource_id, attributes, attribute_types from resources where resource_id in ({ids})
"""
SHAPES = """
select shape_id, attribute_keys, attribute_types from span_shapes where shape_id in ({ids})
"""
STORED = "select distinct trace_id from raw_spans where trace_key in ({keys})"


def read_journey(
    reader: duckdb.DuckDBPyConnection, trace_id: str, *, correct_skew: bool = False
) -> Journey | None:
    """The journey of one trace; None while none of its spans is stored.

    Args:
        reader: a cursor of a store that has digests, of however little.
        trace_id: 32 hexadecimal digits, in lower case.
        correct_skew: whether to set the clocks right that can't be.
    """
    spans = read_spans(reader, trace_id, SPANS_LIMIT + 1)
    if not spans:
        return None
    truncated = len(spans) > SPANS_LIMIT
    del spans[SPANS_LIMIT:]
    logs = read_logs(reader, trace_id)
    stored = _stored(reader, trace_id, spans)
    trace = StoredTrace(trace_id, spans, logs, stored, truncated, promotions_of(reader))
    return journey_of(trace, correct_skew=correct_skew)


def trace_key(trace_id: str) -> int:
    """What the store joins by: the halves of the trace id, XORed."""
    return int(trace_id[:16], 16) ^ int(trace_id[16:], 16)


def read_spans(
    reader: duckdb.DuckDBPyConnection, trace_id: str, limit: int = SPANS_LIMIT
) -> list[dict[str, Any]]:
    """The first ``limit`` spans of one trace, each once, with ``attributes``, ``resource``,
    ``events`` and ``links`` as Python values."""
    asked = {"trace_id": trace_id, **_received(reader, trace_key(trace_id))}
    found = _rows(reader, SPANS, asked, limit)
    if len(found) == limit:
        found = _rows(reader, FIRST_SPANS, asked | {"limit": limit}, limit)
    # A sender that saw no answer sends again: of copies, the one that came first counts.
    first: dict[str, dict[str, Any]] = {}
    for span in found:
        known = first.setdefault(span["span_id"], span)
        if span["received_unix_nano"] < known["received_unix_nano"]:
            first[span["span_id"]] = span
    resources = _resources(reader, first.values())
    shapes = _shapes(reader, first.values())
    for span in first.values():
        keys, types = shapes[span["shape_id"]]
        texts = dict(zip(keys, span["attribute_values"], strict=True))
        span["attributes"] = attributes_of(texts, types)
        span["resource"] = resources.get(span["resource_id"], {})
        span["events"] = _list(span["events"])
        span["links"] = _list(span["links"])
    return list(first.values())


def _received(reader: duckdb.DuckDBPyConnection, key: int) -> dict[str, int]:
    """When the spans came that are digested, and since when they may not be."""
    found = reader.execute(RECEIVED, {"key": key}).fetchall()
    digested = next(first for first, last in found if last is None)
    ranges = [(first, last) for first, last in found if last is not None]
    return {
        "key": key,
        "first": min((first for first, _ in ranges), default=0),
        "last": max((last for _, last in ranges), default=-1),
        "digested": digested,
    }


def read_logs(reader: duckdb.DuckDBPyConnection, trace_id: str) -> list[dict[str, Any]]:
    """The log records that carry the trace's id, with ``attributes`` as Python values."""
    asked = {"key": trace_key(trace_id), "trace_id": trace_id, "limit": LOGS_LIMIT}
    lines = _rows(reader, LOGS, asked, LOGS_LIMIT)
    for line in lines:
        line["attributes"] = attributes_of(line["attributes"], line["attribute_types"])
    return lines


def _rows(
    reader: duckdb.DuckDBPyConnection, query: str, asked: Mapping[str, Any], most: int
) -> list[dict[str, Any]]:
    result = reader.execute(query, asked)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchmany(most)]


def _resources(
    reader: duckdb.DuckDBPyConnection, spans: Iterable[Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    ids = {span["resource_id"] for span in spans}
    if not ids:
        return {}
    found = reader.execute(RESOURCES.format(ids=_list_of(ids))).fetchall()
    return {id_: attributes_of(texts, types) for id_, texts, types in found}


def _shapes(
    reader: duckdb.DuckDBPyConnection, spans: Iterable[Mapping[str, Any]]
) -> dict[int, tuple[list[str], str]]:
    ids = {span["shape_id"] for span in spans}
    if not ids:
        return {}
    found = reader.execute(SHAPES.format(ids=_list_of(ids))).fetchall()
    return {id_: (keys, types) for id_, keys, types in found}


def _stored(
    reader: duckdb.DuckDBPyConnection, trace_id: str, spans: Iterable[Mapping[str, Any]]
) -> set[str]:
    linked = {link["trace_id"] for span in spans for link in span["links"]}
    stored = {trace_id} & linked
    elsewhere = [id_ for id_ in linked - {trace_id} if len(id_) == 32][:LINKED_TRACES_LIMIT]
    if elsewhere:
        keys = _list_of(trace_key(id_) for id_ in elsewhere)
        found = reader.execute(STORED.format(keys=keys)).fetchall()
        stored.update({id_ for (id_,) in found} & linked)
    return stored


def _list_of(numbers: Iterable[int]) -> str:
    return ", ".join(f"{number:d}" for number in numbers)


def _list(text: str) -> list[dict[str, Any]]:
    return [] if text == "[]" else json.loads(text)
