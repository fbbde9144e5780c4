"""Convert the spans of a request to rows of the store."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observatory.receive.attributes import attributes_of, json_of, plain_attributes
from observatory.receive.batch import Batch, kept, nanoseconds, nested, rejection
from observatory.receive.ids import (
    NO_SPAN,
    NO_TRACE,
    SPAN_ID_BYTES,
    TRACE_ID_BYTES,
    hexadecimal,
    is_id,
    is_id_or_empty,
    trace_keys,
)
from observatory.receive.opaque_fields import TRACE_REQUESTS
from observatory.store.rows import SPANS, Rows

EMPTY_LIST = "[]"
_NO_SEPARATOR = pa.scalar(b"", pa.binary())

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS_CODES = ("UNSET", "OK", "ERROR")
# Attributes that get a column of their own, because every query for a trace reads them.
THROUGHLINE_COLUMNS = {
    "root": "throughline.root",
    "hop": "throughline.hop",
    "context": "throughline.context",
}


def spans_of(*bodies: bytes) -> Batch:
    """Return one row for each span with valid ids of some serialized ``ExportTraceServiceRequest``.

    Raises:
        DecodeError: one of ``bodies`` is not such a request.
    """
    origins, spans, scope_of_span = nested(
        TRACE_REQUESTS.of(bodies), "resource_spans", "scope_spans", "spans"
    )
    field, scope_of_span, rejected = kept(spans, scope_of_span, _has_valid_ids(spans))
    attributes = attributes_of(field["attributes"])
    links, rejected_links = _links(field["links"])
    columns = {
        "trace_key": trace_keys(field["trace_id"]),
        "trace_id": hexadecimal(field["trace_id"], TRACE_ID_BYTES),
        "span_id": hexadecimal(field["span_id"], SPAN_ID_BYTES),
        "parent_span_id": hexadecimal(field["parent_span_id"], SPAN_ID_BYTES),
        "name": field["name"],
        "kind": _enum_names(KINDS, field["kind"]),
        "start_unix_nano": nanoseconds(field["start_time_unix_nano"]),
        "end_unix_nano": nanoseconds(field["end_time_unix_nano"]),
        "status_code": _enum_names(STATUS_CODES, pc.struct_field(field["status"], "code")),
        "status_message": pc.struct_field(field["status"], "message").fill_null(""),
        "trace_state": field["trace_state"],
        "schema_id": attributes.schema_ids,
        "attribute_values": attributes.values,
        "events": _texts(field["events"], _events),
        "links": links,
        **{name: attributes.values_of_key(key) for name, key in THROUGHLINE_COLUMNS.items()},
        **origins.columns(scope_of_span),
    }
    identities = pc.binary_join_element_wise(field["trace_id"], field["span_id"], _NO_SEPARATOR)
    rows = Rows(
        "spans",
        pa.table(columns, schema=SPANS),
        origins.resources,
        attributes.schemas[0],
        identities.to_pylist(),
    )
    reasons = (rejection(rejected, "span"), rejection(rejected_links, "link"))
    return Batch(rows, rejected, " ".join(filter(None, reasons)))


def _has_valid_ids(spans: pa.StructArray) -> pa.BooleanArray:
    return pc.and_(
        pc.and_(
            is_id(spans.field("trace_id"), TRACE_ID_BYTES),
            is_id(spans.field("span_id"), SPAN_ID_BYTES),
        ),
        is_id_or_empty(spans.field("parent_span_id"), SPAN_ID_BYTES),
    )


def _enum_names(names: tuple[str, ...], numbers: pa.Int32Array) -> pa.StringArray:
    """Return the name of each enum number; the first name for unknown numbers and nulls."""
    known = pc.and_(
        pc.greater_equal(numbers, pa.scalar(0, pa.int32())),
        pc.less(numbers, pa.scalar(len(names), pa.int32())),
    )
    first = pa.scalar(0, pa.int32())
    indexes = pc.if_else(known, numbers, first).fill_null(0)
    return pa.array(names, pa.string()).take(indexes)


def _links(lists: pa.ListArray) -> tuple[pa.StringArray, int]:
    """Return each span's links as JSON, and how many links were dropped for invalid ids.

    Only the link is dropped, not its span. If it were kept, other tools would refuse an export that
    contains it.
    """
    rejected = 0

    def has_valid_ids(link: Span.Link) -> bool:
        return (
            (len(link.trace_id), len(link.span_id)) == (TRACE_ID_BYTES, SPAN_ID_BYTES)
            and link.trace_id != NO_TRACE
            and link.span_id != NO_SPAN
        )

    def valid_links(raws: list[bytes]) -> list[dict[str, Any]]:
        nonlocal rejected
        links = [Span.Link.FromString(raw) for raw in raws]
        valid = [_link(link) for link in links if has_valid_ids(link)]
        rejected += len(links) - len(valid)
        return valid

    return _texts(lists, valid_links), rejected


def _texts(lists: pa.ListArray, items_of: Callable[[list[bytes]], list[Any]]) -> pa.StringArray:
    if not len(lists.flatten()):
        return pa.repeat(pa.scalar(EMPTY_LIST, pa.string()), len(lists))
    rows = lists.to_pylist()
    texts = [json_of(items_of(row)) if row else EMPTY_LIST for row in rows]
    return pa.array(texts, pa.string())


def _events(raws: list[bytes]) -> list[dict[str, Any]]:
    return [
        {
            "name": event.name,
            "time_unix_nano": str(event.time_unix_nano),
            "attributes": plain_attributes(event.attributes),
        }
        for event in map(Span.Event.FromString, raws)
    ]


def _link(link: Span.Link) -> dict[str, Any]:
    return {
        "trace_id": link.trace_id.hex(),
        "span_id": link.span_id.hex(),
        "attributes": plain_attributes(link.attributes),
    }
