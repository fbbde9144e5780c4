"""The spans of a request as rows of the store, column by column."""

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

NOTHING = "[]"
_TOGETHER = pa.scalar(b"", pa.binary())

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS_CODES = ("UNSET", "OK", "ERROR")
# Columns of their own, because every reader asks for them.
THROUGHLINE_COLUMNS = {
    "root": "throughline.root",
    "hop": "throughline.hop",
    "context": "throughline.context",
}


def spans_of(*bodies: bytes) -> Batch:
    """One row for each span of some ``ExportTraceServiceRequest`` that has valid ids.

    Raises:
        DecodeError: one of ``bodies`` is none.
    """
    origins, spans, scope_of_span = nested(
        TRACE_REQUESTS.of(bodies), "resource_spans", "scope_spans", "spans"
    )
    field, scope_of_span, rejected = kept(spans, scope_of_span, _has_valid_ids(spans))
    attributes = attributes_of(field["attributes"])
    links, lost_links = _links(field["links"])
    columns = {
        "trace_key": trace_keys(field["trace_id"]),
        "trace_id": hexadecimal(field["trace_id"], TRACE_ID_BYTES),
        "span_id": hexadecimal(field["span_id"], SPAN_ID_BYTES),
        "parent_span_id": hexadecimal(field["parent_span_id"], SPAN_ID_BYTES),
        "name": field["name"],
        "kind": _named(KINDS, field["kind"]),
        "start_unix_nano": nanoseconds(field["start_time_unix_nano"]),
        "end_unix_nano": nanoseconds(field["end_time_unix_nano"]),
        "status_code": _named(STATUS_CODES, pc.struct_field(field["status"], "code")),
        "status_message": pc.struct_field(field["status"], "message").fill_null(""),
        "trace_state": field["trace_state"],
        "shape_id": attributes.shape_ids,
        "attribute_values": attributes.values,
        "events": _texts(field["events"], _events),
        "links": links,
        **{name: attributes.lifted(key) for name, key in THROUGHLINE_COLUMNS.items()},
        **origins.columns(scope_of_span),
    }
    identities = pc.binary_join_element_wise(field["trace_id"], field["span_id"], _TOGETHER)
    rows = Rows(
        "spans",
        pa.table(columns, schema=SPANS),
        origins.resources,
        attributes.shapes[0],
        identities.to_pylist(),
    )
    reasons = (rejection(rejected, "span"), rejection(lost_links, "link"))
    return Batch(rows, rejected, " ".join(filter(None, reasons)))


def _has_valid_ids(spans: pa.StructArray) -> pa.BooleanArray:
    return pc.and_(
        pc.and_(
            is_id(spans.field("trace_id"), TRACE_ID_BYTES),
            is_id(spans.field("span_id"), SPAN_ID_BYTES),
        ),
        is_id_or_empty(spans.field("parent_span_id"), SPAN_ID_BYTES),
    )


def _named(names: tuple[str, ...], numbers: pa.Int32Array) -> pa.StringArray:
    """The name of each number; of one that has none, or is null, the first."""
    known = pc.and_(
        pc.greater_equal(numbers, pa.scalar(0, pa.int32())),
        pc.less(numbers, pa.scalar(len(names), pa.int32())),
    )
    first = pa.scalar(0, pa.int32())
    places = pc.if_else(known, numbers, first).fill_null(0)
    return pa.array(names, pa.string()).take(places)


def _links(lists: pa.ListArray) -> tuple[pa.StringArray, int]:
    """The links as the store keeps them, and how many lead nowhere, since their ids are none.

    Those are left out, though not their spans: who reads an export would refuse all of it.
    """
    lost = 0

    def fair(link: Span.Link) -> bool:
        return (
            (len(link.trace_id), len(link.span_id)) == (TRACE_ID_BYTES, SPAN_ID_BYTES)
            and link.trace_id != NO_TRACE
            and link.span_id != NO_SPAN
        )

    def told(raws: list[bytes]) -> list[dict[str, Any]]:
        nonlocal lost
        links = [Span.Link.FromString(raw) for raw in raws]
        kept_ = [_link(link) for link in links if fair(link)]
        lost += len(links) - len(kept_)
        return kept_

    return _texts(lists, told), lost


def _texts(lists: pa.ListArray, opened: Callable[[list[bytes]], list[Any]]) -> pa.StringArray:
    if not len(lists.flatten()):
        return pa.repeat(pa.scalar(NOTHING, pa.string()), len(lists))
    rows = lists.to_pylist()
    texts = [json_of(opened(row)) if row else NOTHING for row in rows]
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
