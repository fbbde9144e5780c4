"""A span or a log line as a row of the store.

Attributes stay whole, as JSON text; the few that every reader asks for are columns of their own.
"""

import base64
import json
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observatory.wire import ExportLogsServiceRequest, ExportTraceServiceRequest

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
INT64_MAX = 2**63 - 1
# Beyond this a JSON number read by a browser is no longer the number that was sent.
EXACT_IN_JSON = 2**53 - 1

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS_CODES = ("UNSET", "OK", "ERROR")

ORIGIN = [
    pa.field("service_name", pa.string()),
    pa.field("scope_name", pa.string()),
    pa.field("resource", pa.string()),
    pa.field("attributes", pa.string()),
    pa.field("received_unix_nano", pa.int64()),
]
SPANS = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("span_id", pa.string()),
        pa.field("parent_span_id", pa.string()),
        pa.field("name", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("start_unix_nano", pa.int64()),
        pa.field("end_unix_nano", pa.int64()),
        pa.field("status_code", pa.string()),
        pa.field("status_message", pa.string()),
        pa.field("trace_state", pa.string()),
        pa.field("events", pa.string()),
        pa.field("links", pa.string()),
        pa.field("root", pa.string()),
        pa.field("hop", pa.string()),
        pa.field("order_id", pa.string()),
        pa.field("order_state", pa.string()),
        *ORIGIN,
    ]
)
LOGS = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("span_id", pa.string()),
        pa.field("time_unix_nano", pa.int64()),
        pa.field("severity_number", pa.int32()),
        pa.field("severity_text", pa.string()),
        pa.field("event_name", pa.string()),
        pa.field("body", pa.string()),
        *ORIGIN,
    ]
)


@dataclass(frozen=True)
class Batch:
    """Rows ready for the store, and what had to be left out.

    ``table`` has the schema ``SPANS`` or ``LOGS``; ``rejected`` counts the items whose ids no
    trace can be made of, and ``reason`` says it in a sentence (empty when there are none).
    """

    table: pa.Table
    rejected: int
    reason: str


def spans_of(request: ExportTraceServiceRequest) -> Batch:
    """One row for each span of the request that has valid ids."""
    received = time.time_ns()
    rows: list[dict[str, Any]] = []
    rejected = 0
    for group in request.resource_spans:
        resource = _plain(group.resource.attributes)
        for scope in group.scope_spans:
            origin = _origin(resource, scope.scope, received)
            for span in scope.spans:
                if _has_valid_ids(span):
                    rows.append(_span_row(span) | origin)
                else:
                    rejected += 1
    return _batch(rows, SPANS, rejected, "span")


def logs_of(request: ExportLogsServiceRequest) -> Batch:
    """One row for each log record of the request; ids may be absent, but not malformed."""
    received = time.time_ns()
    rows: list[dict[str, Any]] = []
    rejected = 0
    for group in request.resource_logs:
        resource = _plain(group.resource.attributes)
        for scope in group.scope_logs:
            origin = _origin(resource, scope.scope, received)
            for record in scope.log_records:
                if len(record.trace_id) in (0, TRACE_ID_BYTES) and len(record.span_id) in (
                    0,
                    SPAN_ID_BYTES,
                ):
                    rows.append(_log_row(record) | origin)
                else:
                    rejected += 1
    return _batch(rows, LOGS, rejected, "log record")


def _batch(rows: list[dict[str, Any]], schema: pa.Schema, rejected: int, noun: str) -> Batch:
    reason = ""
    if rejected:
        reason = (
            f"{rejected} {noun}{'' if rejected == 1 else 's'} rejected: a trace id is "
            f"{TRACE_ID_BYTES} bytes and a span id {SPAN_ID_BYTES}, not all zero."
        )
    return Batch(pa.Table.from_pylist(rows, schema=schema), rejected, reason)


def _has_valid_ids(span: Span) -> bool:
    return (
        len(span.trace_id) == TRACE_ID_BYTES
        and any(span.trace_id)
        and len(span.span_id) == SPAN_ID_BYTES
        and any(span.span_id)
        and len(span.parent_span_id) in (0, SPAN_ID_BYTES)
    )


def _origin(
    resource: dict[str, Any], scope: InstrumentationScope, received_unix_nano: int
) -> dict[str, Any]:
    return {
        "service_name": _text(resource.get("service.name")) or "unknown_service",
        "scope_name": scope.name,
        "resource": _json(resource),
        "received_unix_nano": received_unix_nano,
    }


def _span_row(span: Span) -> dict[str, Any]:
    attributes = _plain(span.attributes)
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": _id(span.parent_span_id),
        "name": span.name,
        "kind": _named(KINDS, span.kind),
        "start_unix_nano": min(span.start_time_unix_nano, INT64_MAX),
        "end_unix_nano": min(span.end_time_unix_nano, INT64_MAX),
        "status_code": _named(STATUS_CODES, span.status.code),
        "status_message": span.status.message,
        "trace_state": span.trace_state,
        "events": _json(
            [
                {
                    "name": event.name,
                    "time_unix_nano": str(event.time_unix_nano),
                    "attributes": _plain(event.attributes),
                }
                for event in span.events
            ]
        ),
        "links": _json(
            [
                {
                    "trace_id": link.trace_id.hex(),
                    "span_id": link.span_id.hex(),
                    "attributes": _plain(link.attributes),
                }
                for link in span.links
            ]
        ),
        "attributes": _json(attributes),
        "root": _text(attributes.get("throughline.root")),
        "hop": _text(attributes.get("throughline.hop")),
        "order_id": _text(attributes.get("boxoffice.order.id")),
        "order_state": _text(attributes.get("boxoffice.order.state")),
    }


def _log_row(record: LogRecord) -> dict[str, Any]:
    body = _value(record.body)
    return {
        "trace_id": _id(record.trace_id),
        "span_id": _id(record.span_id),
        "time_unix_nano": min(
            record.time_unix_nano or record.observed_time_unix_nano or time.time_ns(), INT64_MAX
        ),
        "severity_number": record.severity_number,
        "severity_text": record.severity_text,
        "event_name": record.event_name,
        "body": body if isinstance(body, str) else _json(body),
        "attributes": _json(_plain(record.attributes)),
    }


def _id(raw: bytes) -> str | None:
    return raw.hex() if any(raw) else None


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 <= number < len(names) else names[0]


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {attribute.key: _value(attribute.value) for attribute in attributes}


def _value(value: AnyValue) -> Any:  # noqa: PLR0911  # one return a type
    """An OTLP value as the JSON value nearest to it; what JSON lacks becomes text."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            number = value.int_value
            return number if abs(number) <= EXACT_IN_JSON else str(number)
        case "double_value":
            double = value.double_value
            return double if math.isfinite(double) else json.dumps(double)
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _plain(value.kvlist_value.values)
        case "bytes_value":
            return "base64:" + base64.b64encode(value.bytes_value).decode()
        case _:
            return None
