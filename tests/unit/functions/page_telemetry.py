"""Export requests as the page sends them: OTLP in JSON."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.unit.functions.traceparents import SPAN_ID, TRACE_ID

PAGE = {
    "service.name": "page",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.language": "webjs",
}


def key_values(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return attributes in JSON; each value is a string."""
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def span(name: str = "buy", **fields: Any) -> dict[str, Any]:
    """Return a span in JSON; `fields` replace its own."""
    return {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": name,
        "kind": 1,
        "startTimeUnixNano": "1780000000000000000",
        "endTimeUnixNano": "1780000000250000000",
        "attributes": key_values(
            {"boxoffice.order.id": "order-1", "boxoffice.show.id": "night-ferry"}
        ),
        "links": [{"traceId": TRACE_ID, "spanId": SPAN_ID}],
        "flags": 257,
        **fields,
    }


def record(text: str = "Order placed", **fields: Any) -> dict[str, Any]:
    """Return a log record in JSON; `fields` replace its own."""
    return {
        "timeUnixNano": "1780000000000000000",
        "severityNumber": 9,
        "severityText": "INFO",
        "body": {"stringValue": text},
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        **fields,
    }


def spans(*items: Any, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a request with spans of one resource, which is the page's by default."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": key_values(PAGE if resource is None else resource)},
                "scopeSpans": [{"scope": {"name": "throughline"}, "spans": list(items)}],
            }
        ]
    }


def records(*items: Any, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a request with log records of one resource, which is the page's by default."""
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": key_values(PAGE if resource is None else resource)},
                "scopeLogs": [{"scope": {"name": "throughline"}, "logRecords": list(items)}],
            }
        ]
    }


def as_protobuf(request: dict[str, Any]) -> bytes:
    """Return a request with spans in protobuf; ids are those of `span`."""
    message = ExportTraceServiceRequest()
    for group in json.loads(json.dumps(request))["resourceSpans"]:
        ids = []
        for scope in group["scopeSpans"]:
            for each in scope["spans"]:
                ids.append((each.pop("traceId"), each.pop("spanId")))
                each.pop("links", None)
        into = message.resource_spans.add()
        json_format.ParseDict(group, into)
        for parsed, (trace_id, span_id) in zip(into.scope_spans[0].spans, ids, strict=True):
            parsed.trace_id, parsed.span_id = bytes.fromhex(trace_id), bytes.fromhex(span_id)
    return bytes(message.SerializeToString())
