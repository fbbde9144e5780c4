"""Decodes export requests of OTLP over HTTP, in JSON and in protobuf.

In JSON, an item or an attribute that is malformed is dropped alone. Protobuf cannot be read past an
error. Encoding: opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from throughline.json_body import InvalidJson, parse_json

# A batch of a page has up to 30,000 objects. Each takes about 10 µs to decode.
JSON_OBJECTS_MAX = 32_768

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8


class Undecodable(ValueError):
    """Raised for a body of which nothing can be used; the message gives the client the reason."""


@dataclass(frozen=True)
class Kind:
    """The fields of one signal's export request: groups by resource, by scope, and the items."""

    request: Callable[[], Any]
    by_resource: str
    by_scope: str
    items: str


SPANS = Kind(ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans")
RECORDS = Kind(ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records")


class Decoded(NamedTuple):
    """A decoded export request, and how many of its items were malformed and are left out."""

    request: Any
    malformed: int


def decode(kind: Kind, body: bytes, *, is_json: bool) -> Decoded:
    """Return the export request in `body`.

    A span without valid ids is malformed. A log record without valid ids belongs to no trace.

    Raises:
        Undecodable: the body is not an export request, or has too many objects.
    """
    if is_json:
        request, malformed = _from_json(kind, body)
    else:
        request, malformed = kind.request(), 0
        try:
            request.ParseFromString(body)
        except DecodeError as error:
            raise Undecodable("The body is not an export request in protobuf.") from error
    drop_invalid = _drop_invalid_spans if kind is SPANS else _clear_invalid_ids
    for scope in scopes(kind, request):
        malformed += drop_invalid(getattr(scope, kind.items))
    return Decoded(request, malformed)


def scopes(kind: Kind, request: Any) -> Iterable[Any]:
    """Return the ScopeSpans or ScopeLogs of a request."""
    for group in getattr(request, kind.by_resource):
        yield from getattr(group, kind.by_scope)


def count(kind: Kind, request: Any) -> int:
    """Return how many spans or log records a request has."""
    return sum(len(getattr(scope, kind.items)) for scope in scopes(kind, request))


def _from_json(kind: Kind, body: bytes) -> Decoded:
    if body.count(b"{") > JSON_OBJECTS_MAX:
        raise Undecodable(f"The body has more than {JSON_OBJECTS_MAX} objects.")
    try:
        value = parse_json(body, repair=True)
    except InvalidJson as error:
        raise Undecodable(str(error)) from error
    if not isinstance(value, dict):
        raise Undecodable("The body is not an object.")
    request, malformed = kind.request(), 0
    for group in _objects(value, kind.by_resource):
        by_resource = getattr(request, kind.by_resource).add()
        _parse(group, by_resource, without=kind.by_scope)
        for scope in _objects(group, kind.by_scope):
            by_scope = getattr(by_resource, kind.by_scope).add()
            _parse(scope, by_scope, without=kind.items)
            items = getattr(by_scope, kind.items)
            malformed += _parse_each(scope.get(_camel(kind.items)), items, _parse_item)
    return Decoded(request, malformed)


def _objects(value: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """Return a field that must be a list of objects; absent and null are an empty list."""
    values = value.get(_camel(field))
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise Undecodable(f"{_camel(field)} is not a list of objects.")
    return values


def _parse(value: dict[str, Any], message: Any, *, without: str) -> None:
    """Parse a group's own fields into `message`."""
    own = {name: each for name, each in value.items() if name != _camel(without)}
    try:
        json_format.ParseDict(own, message, ignore_unknown_fields=True)
    except Exception as error:  # (protobuf's, and those of its string conversion)
        raise Undecodable("A resource or a scope is malformed.") from error


def _parse_each(values: object, into: Any, parse: Callable[[Any, Any], None]) -> int:
    """Parse each value into a message of `into`; return how many are malformed and left out."""
    malformed = 0
    for value in values if isinstance(values, list) else []:
        try:
            parse(value, into.add())
        except Exception:  # noqa: BLE001  (protobuf's, and those of its conversions)
            del into[-1]
            malformed += 1
    return malformed


# In JSON, ids are hexadecimal, and protobuf's own format would be Base64.
_IDS = {"traceId": "trace_id", "spanId": "span_id", "parentSpanId": "parent_span_id"}


def _parse_item(value: dict[str, Any], message: Any) -> None:
    """Parse a span, a link or a log record."""
    own = dict(value)
    ids = {field: own.pop(name, None) for name, field in _IDS.items()}
    attributes, links = own.pop("attributes", None), own.pop("links", None)
    json_format.ParseDict(own, message, ignore_unknown_fields=True)
    for field, text in ids.items():
        if text:
            setattr(message, field, _from_hex(text))
    lost = _parse_each(attributes, message.attributes, _parse_attribute)
    message.dropped_attributes_count += lost
    if links:
        message.dropped_links_count += _parse_each(links, message.links, _parse_item)


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b"invalid"


def _parse_attribute(value: Any, message: Any) -> None:
    if not isinstance(value, dict) or not value.get("key"):
        raise Undecodable("An attribute has no key.")
    json_format.ParseDict(value, message, ignore_unknown_fields=True)


def _camel(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(map(str.title, others))


def _drop_invalid_spans(spans: Any) -> int:
    """Delete the spans without valid ids, and the links without; return how many spans."""
    dropped = 0
    for index in reversed(range(len(spans))):
        span = spans[index]
        if not _has_ids(span) or len(span.parent_span_id) not in (0, _SPAN_ID_BYTES):
            del spans[index]
            dropped += 1
            continue
        for number in reversed(range(len(span.links))):
            if not _has_ids(span.links[number]):
                del span.links[number]
                span.dropped_links_count += 1
    return dropped


def _clear_invalid_ids(records: Any) -> int:
    """Take log records with invalid ids as ones without a trace, as logs.proto demands."""
    for record in records:
        if not _has_ids(record):
            record.ClearField("trace_id")
            record.ClearField("span_id")
    return 0


def _has_ids(message: Any) -> bool:
    return (
        len(message.trace_id) == _TRACE_ID_BYTES
        and any(message.trace_id)
        and len(message.span_id) == _SPAN_ID_BYTES
        and any(message.span_id)
    )


def to_json(message: Any) -> str:
    """Return a message that has neither ids nor other bytes in OTLP's JSON."""
    text: str = json_format.MessageToJson(message, indent=None)
    return text
