"""Jaeger's JSON, as its page downloads and uploads it, as an OTLP request.

``{"data": [{"traceID", "spans": […], "processes": {…}}]}``. References become the parent and
links, process tags the resource, logs events; what OTLP has a place for is put there.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from observatory.import_export.reading import BadFile, Place

TRACE_ID_DIGITS, SPAN_ID_DIGITS = 32, 16
NANOS_PER_MICRO = 1_000
UINT64_MAX, INT64_MAX = 2**64 - 1, 2**63 - 1
HEX = re.compile(r"[0-9a-fA-F]+")

KINDS = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "server": Span.SPAN_KIND_SERVER,
    "client": Span.SPAN_KIND_CLIENT,
    "producer": Span.SPAN_KIND_PRODUCER,
    "consumer": Span.SPAN_KIND_CONSUMER,
}
SCOPE_TAGS = ("otel.scope.name", "otel.library.name")
# Tags that say what OTLP has fields for.
TOLD_ELSEWHERE = frozenset(
    {
        *("span.kind", "otel.status_code", "otel.status_description", "w3c.tracestate"),
        *("internal.span.format", *SCOPE_TAGS),
    }
)
REF_TYPE = "opentracing.ref_type"


def request_of(document: Mapping[str, Any]) -> ExportTraceServiceRequest:
    """The spans of a Jaeger document as one request.

    Raises:
        BadFile: something in it isn't as Jaeger writes it; the message says where.
    """
    request = ExportTraceServiceRequest()
    for trace in Place("data", document["data"]).items():
        processes = trace.get("processes").members() if trace.has("processes") else {}
        scopes: dict[tuple[str, str], ScopeSpans] = {}
        for span in trace.get("spans").items():
            process = _process(span, processes)
            tags = _tags(span)
            scope_name = next((_text(tags.get(name)) for name in SCOPE_TAGS if name in tags), "")
            key = process.path, scope_name
            if key not in scopes:
                group = request.resource_spans.add()
                group.resource.attributes.extend(_resource(process))
                scopes[key] = group.scope_spans.add()
                scopes[key].scope.name = scope_name
            scopes[key].spans.append(_span(span, tags))
    return request


def _process(span: Place, processes: Mapping[str, Place]) -> Place:
    if span.has("process"):
        return span.get("process")
    id_ = span.get("processID").text()
    if id_ not in processes:
        raise BadFile(f"{span.path}.processID is {id_!r}, which is not among the processes.")
    return processes[id_]


def _resource(process: Place) -> list[KeyValue]:
    service = process.get("serviceName").text()
    tags = _tags(process)
    name = KeyValue(key="service.name", value=AnyValue(string_value=service))
    return [name, *_attributes({key: tags[key] for key in tags if key != "service.name"})]


def _span(place: Place, tags: Mapping[str, AnyValue]) -> Span:
    start = _nanos(place.get("startTime"))
    span = Span(
        trace_id=_id(place.get("traceID"), TRACE_ID_DIGITS),
        span_id=_id(place.get("spanID"), SPAN_ID_DIGITS),
        name=place.get("operationName").text(),
        kind=KINDS.get(_text(tags.get("span.kind")).lower(), Span.SPAN_KIND_UNSPECIFIED),
        start_time_unix_nano=start,
        end_time_unix_nano=min(start + _nanos(place.get("duration")), UINT64_MAX),
        trace_state=_text(tags.get("w3c.tracestate")),
        attributes=_attributes({key: tags[key] for key in tags if key not in TOLD_ELSEWHERE}),
        status=_status(tags),
    )
    _refer(span, place)
    if place.has("logs"):
        for log in place.get("logs").items():
            fields = _tags(log, "fields")
            name = _text(fields.pop("event", None)) or "log"
            span.events.add(
                name=name,
                time_unix_nano=_nanos(log.get("timestamp")),
                attributes=_attributes(fields),
            )
    return span


def _refer(span: Span, place: Place) -> None:
    """The first reference within the trace, one to a parent if there is one, becomes the parent;
    the others become links."""
    if place.has("parentSpanID") and place.get("parentSpanID").value:
        span.parent_span_id = _id(place.get("parentSpanID"), SPAN_ID_DIGITS)
    if not place.has("references"):
        return
    references = [
        (
            _id(one.get("traceID"), TRACE_ID_DIGITS),
            _id(one.get("spanID"), SPAN_ID_DIGITS),
            one.get("refType").text(),
        )
        for one in place.get("references").items()
    ]
    for wanted in ("CHILD_OF", "FOLLOWS_FROM"):
        for trace_id, span_id, kind in references:
            if not span.parent_span_id and (trace_id, kind) == (span.trace_id, wanted):
                span.parent_span_id = span_id
    for trace_id, span_id, kind in references:
        if (trace_id, span_id) != (span.trace_id, span.parent_span_id):
            said = KeyValue(key=REF_TYPE, value=AnyValue(string_value=kind.lower()))
            span.links.add(trace_id=trace_id, span_id=span_id, attributes=[said])


def _status(tags: Mapping[str, AnyValue]) -> Status:
    code = Status.STATUS_CODE_UNSET
    said = _text(tags.get("otel.status_code")).upper()
    error = tags.get("error")
    if said == "ERROR" or (error is not None and (error.bool_value or _text(error) == "true")):
        code = Status.STATUS_CODE_ERROR
    elif said == "OK":
        code = Status.STATUS_CODE_OK
    return Status(code=code, message=_text(tags.get("otel.status_description")))


def _tags(place: Place, name: str = "tags") -> dict[str, AnyValue]:
    if not place.has(name):
        return {}
    tags = place.get(name).items()
    return {tag.get("key").text(): _value(tag) for tag in tags}


def _value(tag: Place) -> AnyValue:  # noqa: PLR0911  # one return a type
    value = tag.get("value").value
    type_ = tag.get("type").text() if tag.has("type") else ""
    try:
        match type_.lower():
            case "int64":
                number = int(value)
                if not -INT64_MAX <= number <= INT64_MAX:
                    raise ValueError("it has more than 64 bits")
                return AnyValue(int_value=number)
            case "float64":
                return AnyValue(double_value=float(value))
            case "binary":
                return AnyValue(bytes_value=base64.b64decode(value, validate=True))
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadFile(f"{tag.path}.value is {value!r}: it is no {type_}.") from error
    if isinstance(value, bool) or type_.lower() == "bool":
        return AnyValue(bool_value=value in (True, "true"))
    if isinstance(value, int) and abs(value) <= INT64_MAX:
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=value if isinstance(value, str) else str(value))


def _attributes(values: Mapping[str, AnyValue]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in values.items()]


def _text(value: AnyValue | None) -> str:
    return value.string_value if value is not None else ""


def _id(place: Place, digits: int) -> bytes:
    """An id, whose leading zeros Jaeger may leave out."""
    text = place.text()
    if HEX.fullmatch(text) is None or len(text) > digits:
        raise BadFile(f"{place.path} is {text!r}: it has up to {digits} hexadecimal digits.")
    return bytes.fromhex(text.rjust(digits, "0"))


def _nanos(place: Place) -> int:
    value = place.value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= UINT64_MAX // NANOS_PER_MICRO:
        raise BadFile(f"{place.path} is {value!r}: it is a whole number of microseconds.")
    return int(value) * NANOS_PER_MICRO
