"""Adds spans to an event's trace: for a dead letter, and for attempts that left no span."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from cloud.delivery.emulators import DEAD_LETTER_TOPIC
from cloud.delivery.event import ATTEMPT_ATTRIBUTE, Attempt, Event

EXPORT_DELAY_MS = 200
EXPORT_TIMEOUT_SECONDS = 1.0

_ROOT = Path(__file__).parents[2]
_PROPAGATOR = TraceContextTextMapPropagator()


def tracer_to(otlp_url: str) -> tuple[TracerProvider, trace.Tracer]:
    """Return a tracer that exports to an OTLP endpoint; the caller shuts its provider down."""
    provider = TracerProvider(resource=Resource.create({"service.name": "redelivery"}))
    exporter = OTLPSpanExporter(f"{otlp_url.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_DELAY_MS))
    return provider, provider.get_tracer("redelivery")


def gave_up(tracer: trace.Tracer, event: Event, first: Attempt | None, last: Attempt) -> Span:
    """Start the span of a dead letter: the function, the number of attempts, and the last error.

    Its parent is the parent of the function's own span; it links the first and the last attempt.
    """
    links = [
        Link(context, {"throughline.link": name})
        for name, attempt in (("first-attempt", first), ("last-attempt", last))
        if attempt and attempt.span and (context := _span_context(attempt.span)) is not None
    ]
    span = tracer.start_span(
        f"send {DEAD_LETTER_TOPIC}",
        _PROPAGATOR.extract({"traceparent": _context_of(event, first, last)}),
        SpanKind.PRODUCER,
        {
            **_about(event, last),
            **_called_from(),
            "messaging.system": "gcp_pubsub",
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": DEAD_LETTER_TOPIC,
        },
        links,
    )
    description = f"{event.function} gave up after {last.number} attempts: {last.error}"
    span.set_status(Status(StatusCode.ERROR, description))
    return span


def spanless(tracer: trace.Tracer, event: Event, attempt: Attempt, known: Attempt) -> None:
    """Record a span for an attempt that failed before its function could record one.

    `known` is a later attempt at the same event; it identifies the trace.
    """
    span = tracer.start_span(
        f"deliver {event.function}",
        _PROPAGATOR.extract({"traceparent": known.parent or known.span or ""}),
        SpanKind.INTERNAL,
        {**_about(event, attempt), **_called_from()},
        start_time=attempt.began_unix_nano or None,
    )
    span.set_status(Status(StatusCode.ERROR, attempt.error))
    span.end(attempt.ended_unix_nano or None)


def traceparent_of(span: Span) -> str:
    """Return a span's context as a traceparent."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent", "")


def _about(event: Event, attempt: Attempt) -> Mapping[str, AttributeValue]:
    about: dict[str, str | int | None] = {
        "faas.invoked_name": event.function,
        ATTEMPT_ATTRIBUTE: attempt.number,
        "cloudevents.event_id": event.headers.get("ce-id"),
        "cloudevents.event_type": event.headers.get("ce-type"),
    }
    return {name: value for name, value in about.items() if value is not None}


def _called_from() -> Mapping[str, AttributeValue]:
    """Return the code attributes of the source line that called this function's caller.

    throughline/code_attributes.py walks the stack too; cloud/ must not import it, because it is a
    separate deployable.
    """
    frame = sys._getframe(2)
    path = Path(frame.f_code.co_filename)
    return {
        "code.function.name": f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}",
        "code.file.path": path.relative_to(_ROOT).as_posix(),
        "code.line.number": frame.f_lineno,
    }


def _context_of(event: Event, first: Attempt | None, last: Attempt) -> str:
    """Return the traceparent that the event's trace continues from, the best source first.

    If the function never ran, no attempt has one; a Pub/Sub message then carries its own.
    """
    for attempt in (first, last):
        if attempt and (attempt.parent or attempt.span):
            return attempt.parent or attempt.span or ""
    match = re.search(rb'"traceparent":\s*"([0-9a-f-]{55})"', event.body)
    return match[1].decode() if match else ""


def _span_context(traceparent: str) -> trace.SpanContext | None:
    context = _PROPAGATOR.extract({"traceparent": traceparent})
    span_context = trace.get_current_span(context).get_span_context()
    return span_context if span_context.is_valid else None
