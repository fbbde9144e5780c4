"""Tell quickly whether a request can be stored completely.

Converting a request to rows takes milliseconds, most of which do not depend on its size. These
checks take microseconds. A request passes only if all its items are valid and the conversion would
have nothing to report.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observatory.receive.ids import NO_SPAN, NO_TRACE, SPAN_ID_BYTES, TRACE_ID_BYTES


def all_spans_valid(body: bytes) -> bool:
    """Tell whether ``spans_of`` would keep every span and link of a request."""
    return _parses(ExportTraceServiceRequest, body, _spans_valid)


def all_logs_valid(body: bytes) -> bool:
    """Tell whether ``logs_of`` would keep every log record of a request with its trace."""
    return _parses(ExportLogsServiceRequest, body, _logs_valid)


def _parses(type_: type[Message], body: bytes, valid: Callable[[Any], bool]) -> bool:
    request = type_()
    try:
        request.ParseFromString(body)
    except DecodeError:
        return False
    # A field of the wrong wire type counts as unknown here, but fails in the conversion.
    size = request.ByteSize()
    request.DiscardUnknownFields()
    return request.ByteSize() == size and valid(request)


def _spans_valid(request: ExportTraceServiceRequest) -> bool:
    return all(
        _is_span(span)
        and len(span.parent_span_id) in (0, SPAN_ID_BYTES)
        and all(map(_is_span, span.links))
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    )


def _is_span(message: Any) -> bool:
    """Tell whether a span or link has valid ids."""
    trace_id, span_id = message.trace_id, message.span_id
    return (
        (len(trace_id), len(span_id)) == (TRACE_ID_BYTES, SPAN_ID_BYTES)
        and trace_id != NO_TRACE
        and span_id != NO_SPAN
    )


def _logs_valid(request: ExportLogsServiceRequest) -> bool:
    return all(
        len(record.trace_id) in (0, TRACE_ID_BYTES) and len(record.span_id) in (0, SPAN_ID_BYTES)
        for group in request.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    )
