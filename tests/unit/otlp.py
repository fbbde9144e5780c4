"""Decodes the OTLP requests that a LocalServer received."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.unit.local_server import LocalServer, ReceivedRequest


def payload(request: ReceivedRequest) -> bytes:
    """Return a request's body, decompressed if it is gzip."""
    is_gzip = request.headers.get("content-encoding") == "gzip"
    return gzip.decompress(request.body) if is_gzip else request.body


def attributes(of: Any) -> dict[str, str]:
    """Return the string attributes of a resource, a span or a log record."""
    return {each.key: each.value.string_value for each in of.attributes}


def spans_in(server: LocalServer) -> Iterator[tuple[Span, dict[str, str]]]:
    """Yield every received span with its resource's attributes."""
    for request in server.requests:
        if request.path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(payload(request)).resource_spans:
                for scope in resource.scope_spans:
                    yield from ((span, attributes(resource.resource)) for span in scope.spans)


def records_in(server: LocalServer) -> Iterator[tuple[LogRecord, dict[str, str]]]:
    """Yield every received log record with its resource's attributes."""
    for request in server.requests:
        if request.path == "/v1/logs":
            for resource in ExportLogsServiceRequest.FromString(payload(request)).resource_logs:
                for scope in resource.scope_logs:
                    yield from (
                        (record, attributes(resource.resource)) for record in scope.log_records
                    )
