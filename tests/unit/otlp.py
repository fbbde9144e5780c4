"""What arrived at a local OTLP endpoint, decoded."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.unit.local_server import Asked, LocalServer


def payload(asked: Asked) -> bytes:
    """A request's body, unpacked where it is gzip."""
    packed = asked.headers.get("content-encoding") == "gzip"
    return gzip.decompress(asked.body) if packed else asked.body


def attributes(of: Any) -> dict[str, str]:
    """The attributes that are text, of a resource, a span or a record."""
    return {each.key: each.value.string_value for each in of.attributes}


def spans_in(server: LocalServer) -> Iterator[tuple[Span, dict[str, str]]]:
    """Every span that arrived, with its resource's attributes."""
    for asked in server.asked:
        if asked.path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(payload(asked)).resource_spans:
                for scope in resource.scope_spans:
                    yield from ((span, attributes(resource.resource)) for span in scope.spans)


def records_in(server: LocalServer) -> Iterator[tuple[LogRecord, dict[str, str]]]:
    """Every log record that arrived, with its resource's attributes."""
    for asked in server.asked:
        if asked.path == "/v1/logs":
            for resource in ExportLogsServiceRequest.FromString(payload(asked)).resource_logs:
                for scope in resource.scope_logs:
                    yield from (
                        (record, attributes(resource.resource)) for record in scope.log_records
                    )
