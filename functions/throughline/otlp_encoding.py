"""Encodes spans and log records as OTLP in protobuf, with little processor time.

A request waits for its export, and OpenTelemetry's encoder took half of an export's processor time:
it encodes the resource and every attribute again each time. Here the bytes of whatever repeats are
cached, and messages are joined from bytes. A span with events or links, which is rare, is left to
OpenTelemetry's encoder.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

# Most attributes repeat. Longer strings, and values of other types, are encoded each time.
_CACHED_ATTRIBUTES = 1024
_CACHED_MAX_CHARS = 128

# Field numbers of opentelemetry-proto. Spans and log records are grouped by fields with the same
# numbers. Joined bytes of two messages are the merged message
# (protobuf.dev/programming-guides/encoding).
_OF_REQUEST, _RESOURCE, _OF_RESOURCE, _SCOPE, _OF_SCOPE = 1, 1, 2, 1, 2
_SCHEMA_URL = 3
_SPAN_ATTRIBUTES, _RECORD_ATTRIBUTES = 9, 6

_FLAGS = trace_pb2.SpanFlags

Item = TypeVar("Item", ReadableSpan, ReadableLogRecord)


class Encoded(NamedTuple):
    """The body of an export request, and how many items could not be encoded and are left out."""

    body: bytes
    left_out: int


def spans(batch: Sequence[ReadableSpan]) -> Encoded:
    """Return these spans as an ExportTraceServiceRequest."""
    return _request(batch, _span)


def records(batch: Sequence[ReadableLogRecord]) -> Encoded:
    """Return these log records as an ExportLogsServiceRequest."""
    return _request(batch, _record)


def _request(batch: Sequence[Item], encode: Callable[[Item], bytes]) -> Encoded:
    """Group the items by resource and scope, which are the same objects for all of a process."""
    groups: dict[tuple[int, int], tuple[Item, list[bytes]]] = {}
    left_out = 0
    for item in batch:
        try:
            message = encode(item)
        except (TypeError, ValueError, AttributeError):
            left_out += 1
            continue
        key = (id(item.resource), id(item.instrumentation_scope))
        groups.setdefault(key, (item, []))[1].append(_field(_OF_SCOPE, message))
    return Encoded(
        b"".join(
            _field(
                _OF_REQUEST,
                _resource(item.resource)
                + _field(_OF_RESOURCE, _scope(item.instrumentation_scope) + b"".join(messages)),
            )
            for item, messages in groups.values()
        ),
        left_out,
    )


def _span(span: ReadableSpan) -> bytes:
    if span.events or span.links:
        request = encode_spans([span])
        return _bytes(request.resource_spans[0].scope_spans[0].spans[0])
    context, parent = span.context, span.parent
    if context is None:
        raise ValueError(f"span {span.name!r} has no context")
    message = trace_pb2.Span(
        trace_id=context.trace_id.to_bytes(16, "big"),
        span_id=context.span_id.to_bytes(8, "big"),
        trace_state=_trace_state(context),
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent else b"",
        name=span.name,
        # Protobuf's enum has UNSPECIFIED first.
        kind=span.kind.value + 1,  # type: ignore[arg-type]
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        status=trace_pb2.Status(
            code=span.status.status_code.value,  # type: ignore[arg-type]
            message=span.status.description or "",
        ),
        dropped_attributes_count=span.dropped_attributes,
        dropped_events_count=span.dropped_events,
        dropped_links_count=span.dropped_links,
        flags=_FLAGS.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
        | (_FLAGS.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK if parent and parent.is_remote else 0),
    )
    return _bytes(message) + _attributes(_SPAN_ATTRIBUTES, span.attributes)


def _record(record: ReadableLogRecord) -> bytes:
    fields = record.log_record
    message = logs_pb2.LogRecord(
        time_unix_nano=fields.timestamp or 0,
        observed_time_unix_nano=fields.observed_timestamp or 0,
        trace_id=fields.trace_id.to_bytes(16, "big") if fields.trace_id else b"",
        span_id=fields.span_id.to_bytes(8, "big") if fields.span_id else b"",
        flags=int(fields.trace_flags or 0),
        body=_value(fields.body),
        severity_text=fields.severity_text or "",
        severity_number=fields.severity_number.value if fields.severity_number else None,  # type: ignore[arg-type]
        dropped_attributes_count=record.dropped_attributes,
        event_name=fields.event_name or "",
    )
    return _bytes(message) + _attributes(_RECORD_ATTRIBUTES, fields.attributes)


def _trace_state(context: SpanContext) -> str:
    return ",".join(f"{key}={value}" for key, value in context.trace_state.items())


@functools.lru_cache(16)
def _resource(resource: Resource) -> bytes:
    """Return the fields of ResourceSpans or ResourceLogs that describe a resource."""
    message = resource_pb2.Resource(attributes=_key_values(resource.attributes))
    return _field(_RESOURCE, _bytes(message)) + _text(_SCHEMA_URL, resource.schema_url)


@functools.lru_cache(64)
def _scope(scope: InstrumentationScope | None) -> bytes:
    """Return the fields of ScopeSpans or ScopeLogs that describe an instrumentation scope."""
    if scope is None:
        return _field(_SCOPE, b"")
    message = common_pb2.InstrumentationScope(
        name=scope.name, version=scope.version or "", attributes=_key_values(scope.attributes or {})
    )
    return _field(_SCOPE, _bytes(message)) + _text(_SCHEMA_URL, scope.schema_url)


def _attributes(number: int, attributes: Mapping[str, Any] | None) -> bytes:
    """Return attributes as the repeated field `number`."""
    return b"".join(
        _field(
            number,
            _cached_key_value(key, value)
            if type(value) in (bool, int)
            or (type(value) is str and len(value) <= _CACHED_MAX_CHARS)
            else _key_value(key, value),
        )
        for key, value in (attributes or {}).items()
    )


# `typed`, because True and 1 are equal.
@functools.lru_cache(_CACHED_ATTRIBUTES, typed=True)
def _cached_key_value(key: str, value: object) -> bytes:
    return _key_value(key, value)


def _key_value(key: str, value: object) -> bytes:
    return _bytes(common_pb2.KeyValue(key=key, value=_value(value)))


def _key_values(attributes: Mapping[str, Any]) -> list[common_pb2.KeyValue]:
    return [common_pb2.KeyValue(key=key, value=_value(each)) for key, each in attributes.items()]


def _value(value: object) -> common_pb2.AnyValue:  # noqa: PLR0911  (one line per type)
    if value is None:
        return common_pb2.AnyValue()
    if isinstance(value, bool):
        return common_pb2.AnyValue(bool_value=value)
    if isinstance(value, str):
        # A lone surrogate, which JSON can contain, is not UTF-8.
        return common_pb2.AnyValue(string_value=value.encode(errors="replace").decode())
    if isinstance(value, int):
        # Protobuf's integers have 64 bits.
        if not -(2**63) <= value < 2**63:
            return common_pb2.AnyValue(string_value=str(value))
        return common_pb2.AnyValue(int_value=value)
    if isinstance(value, float):
        return common_pb2.AnyValue(double_value=value)
    if isinstance(value, bytes):
        return common_pb2.AnyValue(bytes_value=value)
    if isinstance(value, Mapping):
        items = {str(key): each for key, each in value.items()}
        return common_pb2.AnyValue(kvlist_value=common_pb2.KeyValueList(values=_key_values(items)))
    if isinstance(value, Sequence):
        array = common_pb2.ArrayValue(values=[_value(each) for each in value])
        return common_pb2.AnyValue(array_value=array)
    return common_pb2.AnyValue(string_value=repr(value))


def _bytes(message: Any) -> bytes:
    serialised: bytes = message.SerializeToString()
    return serialised


def _text(number: int, value: str | None) -> bytes:
    return _field(number, value.encode()) if value else b""


def _field(number: int, content: bytes) -> bytes:
    """Return a field of the wire type LEN: its tag, its length as a varint, and its content."""
    length = len(content)
    if length < 0x80:
        return bytes((number << 3 | 2, length)) + content
    prefix = bytearray((number << 3 | 2,))
    while length >= 0x80:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + content
