"""The OTLP encoder: the same messages as OpenTelemetry's, and one bad item costs no other."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceState

from throughline import otlp_encoding

RESOURCE = Resource.create({"service.name": "quote", "retries": 3}, "https://schema.test/1")
REMOTE = SpanContext(
    0xA0, 0xB0, True, trace.TraceFlags(1), TraceState([("vendor", "1"), ("other", "x")])
)
VALUES: dict[str, Any] = {
    "text": "Fährgäste ⛴",
    "empty": "",
    "long": "x" * 300,
    "yes": True,
    "one": 1,
    "float": 1.0,
    "negative": -(2**63),
    "texts": ["a", "b"],
    "numbers": [1, 2],
    "flags": [True, False],
}


class Collected(SpanProcessor, LogRecordProcessor):
    """Collects what ends and what is emitted."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.records: list[ReadableLogRecord] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)

    def on_emit(self, log_record: Any) -> None:
        self.records.append(
            ReadableLogRecord(
                log_record.log_record,
                log_record.resource,
                log_record.instrumentation_scope,
                log_record.limits,
            )
        )

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002
        return True


def recorded_spans() -> list[ReadableSpan]:
    """Return spans that use every field of OTLP's."""
    collected = Collected()
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(collected)
    plain, versioned = (
        provider.get_tracer("plain"),
        provider.get_tracer("versioned", "1.2", "https://schema.test/2", {"scope": "x"}),
    )
    remote = trace.set_span_in_context(trace.NonRecordingSpan(REMOTE))
    for kind in SpanKind:
        plain.start_span(kind.name, remote, kind, VALUES).end()
    with plain.start_as_current_span("parent") as parent:
        versioned.start_span("child").end()
        parent.set_status(Status(StatusCode.ERROR, "failed"))
    linked = versioned.start_span("linked", links=[Link(REMOTE, {"throughline.link": "x"})])
    linked.record_exception(ValueError("bad"))
    linked.set_attribute("text", "y")
    linked.end()
    return collected.spans


def recorded_records() -> list[ReadableLogRecord]:
    """Return log records that use every field of OTLP's."""
    collected = Collected()
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(collected)
    logger = provider.get_logger("box.office")
    in_span = trace.set_span_in_context(trace.NonRecordingSpan(REMOTE))
    bodies: tuple[Any, ...] = ("text", {"a": {"b": [1, None, b"x"]}}, 5, 1.5, True, None, ["x", 1])
    for body in bodies:
        logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                context=in_span if body else context.Context(),
                severity_number=SeverityNumber.WARN,
                severity_text="WARN",
                body=body,
                attributes={**VALUES, "nested": {"a": 1}},
                event_name="sold",
            )
        )
    return collected.records


def test_spans_are_encoded_as_by_opentelemetry() -> None:
    """Field by field the same message, and again when the cache is filled."""
    spans = recorded_spans()
    expected = encode_spans(spans)
    for _ in range(2):
        body, left_out = otlp_encoding.spans(spans)
        assert left_out == 0
        decoded = ExportTraceServiceRequest.FromString(body)
        assert by_scope(decoded.resource_spans, "scope_spans") == by_scope(
            expected.resource_spans, "scope_spans"
        )


def test_log_records_are_encoded_as_by_opentelemetry() -> None:
    """Structured bodies and nested attributes too."""
    records = recorded_records()
    expected = encode_logs(records)
    body, left_out = otlp_encoding.records(records)
    assert left_out == 0
    decoded = ExportLogsServiceRequest.FromString(body)
    assert by_scope(decoded.resource_logs, "scope_logs") == by_scope(
        expected.resource_logs, "scope_logs"
    )


def by_scope(resources: Any, field: str) -> dict[str, Any]:
    """Return each scope's message by its name with its resource; their order has no meaning."""
    return {
        scope.scope.name: (resource.resource, resource.schema_url, scope)
        for resource in resources
        for scope in getattr(resource, field)
    }


@pytest.mark.parametrize("name", ["\ud800", 5], ids=["a lone surrogate", "a number"])
def test_a_span_that_cannot_be_encoded_is_left_out_alone(name: Any) -> None:
    """The others of the batch are sent."""
    spans = recorded_spans()[:2]
    bad = recorded_spans()[0]
    bad._name = name
    body, left_out = otlp_encoding.spans([spans[0], bad, spans[1]])
    assert left_out == 1
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert [span.name for span in resource.scope_spans[0].spans] == [span.name for span in spans]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a\ud800b", "a?b"), (2**70, str(2**70)), (3 + 4j, "(3+4j)")],
    ids=["a lone surrogate", "more than 64 bits", "a type that OTLP lacks"],
)
def test_a_value_that_otlp_cannot_hold_becomes_text(value: Any, expected: str) -> None:
    """A log record's attributes may come from an `extra=` with any value."""
    record = recorded_records()[0]
    record.log_record.attributes = {"value": value}
    body, left_out = otlp_encoding.records([record])
    (resource,) = ExportLogsServiceRequest.FromString(body).resource_logs
    (attribute,) = resource.scope_logs[0].log_records[0].attributes
    assert (left_out, attribute.value.string_value) == (0, expected)
