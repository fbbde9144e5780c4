"""Convert Jaeger's JSON, as its UI downloads and uploads it, to an OTLP request.

``{"data": [{"traceID", "spans": […], "processes": {…}}]}``. References become the parent and
links, process tags the resource, logs events; tags with an OTLP field of their own go there.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from observatory.import_export.reading import BadFile, Place

TRACE_ID_DIGITS, SPAN_ID_DIGITS = 32, 16
NANOS_PER_MICRO = 1_000
UINT64_MAX = 2**64 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
HEX = re.compile(r"[0-9a-fA-F]+")

KINDS = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "server": Span.SPAN_KIND_SERVER,
    "client": Span.SPAN_KIND_CLIENT,
    "producer": Span.SPAN_KIND_PRODUCER,
    "consumer": Span.SPAN_KIND_CONSUMER,
}
SCOPE_TAGS = ("otel.scope.name", "otel.library.name")
# Tags that OTLP has fields for.
TAGS_WITH_FIELDS = frozenset(
    {
        *("span.kind", "otel.status_code", "otel.status_description", "w3c.tracestate"),
        *("internal.span.format", *SCOPE_TAGS),
    }
)
REF_TYPE = "opentracing.ref_type"


class _Reference(NamedTuple):
    """A reference from one Jaeger span to another."""

    trace_id: bytes
    span_id: bytes
    type: str

    def may_be_parent(self, type_: str, span: Span) -> bool:
        """Return whether it has this type and refers to another span of the same trace."""
        return (
            self.type == type_ and self.trace_id == span.trace_id and self.span_id != span.span_id
        )


def request_of(document: Mapping[str, Any]) -> ExportTraceServiceRequest:
    """Return the spans of a Jaeger document as one request.

    Raises:
        BadFile: a value in the document is missing or invalid; the message gives its path.
    """
    request = ExportTraceServiceRequest()
    for trace in Place("data", document["data"]).items():
        spans: list[tuple[Span, list[_Reference]]] = []
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
            otlp_span = scopes[key].spans.add()
            otlp_span.CopyFrom(_span(span, tags))
            spans.append((otlp_span, _references(span)))
        _choose_parents(spans)
    return request


def _process(span: Place, processes: Mapping[str, Place]) -> Place:
    if span.has("process"):
        return span.get("process")
    id_ = span.get("processID").text()
    if id_ not in processes:
        raise BadFile(f"{span.path}.processID is {id_!r}, but processes has no such entry.")
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
        attributes=_attributes({key: tags[key] for key in tags if key not in TAGS_WITH_FIELDS}),
        status=_status(tags),
    )
    if place.has("parentSpanID") and place.get("parentSpanID").value:
        span.parent_span_id = _id(place.get("parentSpanID"), SPAN_ID_DIGITS)
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


def _references(place: Place) -> list[_Reference]:
    if not place.has("references"):
        return []
    return [
        _Reference(
            _id(reference.get("traceID"), TRACE_ID_DIGITS),
            _id(reference.get("spanID"), SPAN_ID_DIGITS),
            reference.get("refType").text(),
        )
        for reference in place.get("references").items()
    ]


def _choose_parents(spans: Sequence[tuple[Span, Sequence[_Reference]]]) -> None:
    """Make one reference of each span of a trace its parent, and links of the others.

    The parent is the first CHILD_OF within the trace to another span. Without one it is the first
    FOLLOWS_FROM to a span that is not below this one: a span may follow from its own child.
    """
    for span, references in spans:
        if span.parent_span_id == span.span_id:
            span.parent_span_id = b""
        for reference in references:
            if not span.parent_span_id and reference.may_be_parent("CHILD_OF", span):
                span.parent_span_id = reference.span_id
    ancestors = {span.span_id: span.parent_span_id for span, _ in spans if span.parent_span_id}
    for span, references in spans:
        for reference in references:
            if (
                not span.parent_span_id
                and reference.may_be_parent("FOLLOWS_FROM", span)
                and _root_above(reference.span_id, ancestors) != span.span_id
            ):
                span.parent_span_id = reference.span_id
                ancestors[span.span_id] = reference.span_id
        for reference in references:
            if (reference.trace_id, reference.span_id) != (span.trace_id, span.parent_span_id):
                ref_type = AnyValue(string_value=reference.type.lower())
                span.links.add(
                    trace_id=reference.trace_id,
                    span_id=reference.span_id,
                    attributes=[KeyValue(key=REF_TYPE, value=ref_type)],
                )


def _root_above(span_id: bytes, ancestors: dict[bytes, bytes]) -> bytes:
    """Return the root above a span; the span itself if it has no parent.

    Args:
        span_id: the span.
        ancestors: an ancestor of each span that has a parent. Paths are compressed on each call, as
            in union-find, so that long chains stay cheap.
    """
    visited: dict[bytes, None] = {}
    while span_id not in visited and (above := ancestors.get(span_id)):
        visited[span_id] = None
        span_id = above
    for each in visited:
        if each != span_id:
            ancestors[each] = span_id
    return span_id


def _status(tags: Mapping[str, AnyValue]) -> Status:
    code = Status.STATUS_CODE_UNSET
    status_code = _text(tags.get("otel.status_code")).upper()
    error = tags.get("error")
    if status_code == "ERROR" or (
        error is not None and (error.bool_value or _text(error) == "true")
    ):
        code = Status.STATUS_CODE_ERROR
    elif status_code == "OK":
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
                if not INT64_MIN <= number <= INT64_MAX:
                    raise ValueError("more than 64 bits")
                return AnyValue(int_value=number)
            case "float64":
                return AnyValue(double_value=float(value))
            case "binary":
                return AnyValue(bytes_value=base64.b64decode(value, validate=True))
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadFile(f"{tag.path}.value is {value!r}: it must be a valid {type_}.") from error
    if isinstance(value, bool) or type_.lower() == "bool":
        return AnyValue(bool_value=value in (True, "true"))
    if isinstance(value, int) and INT64_MIN <= value <= INT64_MAX:
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=value if isinstance(value, str) else str(value))


def _attributes(values: Mapping[str, AnyValue]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in values.items()]


def _text(value: AnyValue | None) -> str:
    return value.string_value if value is not None else ""


def _id(place: Place, digits: int) -> bytes:
    """Read an id, whose leading zeros Jaeger may leave out."""
    text = place.text()
    if HEX.fullmatch(text) is None or len(text) > digits:
        raise BadFile(f"{place.path} is {text!r}: it must have 1 to {digits} hexadecimal digits.")
    return bytes.fromhex(text.rjust(digits, "0"))


def _nanos(place: Place) -> int:
    value = place.value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value <= UINT64_MAX // NANOS_PER_MICRO:
        raise BadFile(f"{place.path} is {value!r}: it must be a whole number of microseconds.")
    return int(value) * NANOS_PER_MICRO
