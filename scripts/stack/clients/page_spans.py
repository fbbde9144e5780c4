"""Exports the spans that the page would export, for a client without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


@dataclass(frozen=True)
class CarriedContext:
    """A new trace, and its context as a map for the field `_trace` or for HTTP headers."""

    trace_id: str
    field: dict[str, str]


@contextmanager
def page(otlp: str, spans_max: int = 2048) -> Iterator[Tracer]:
    """Yield a tracer of the service `page`, and export all of its spans when the block ends.

    Args:
        otlp: URL of the OTLP endpoint.
        spans_max: the queue holds this many spans, so that none is dropped.
    """
    provider = TracerProvider(
        ALWAYS_ON, Resource.create({"service.name": "page"}), shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(f"{otlp}/v1/traces", timeout=10)
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=max(2048, spans_max), schedule_delay_millis=500)
    )
    try:
        yield provider.get_tracer("load")
    finally:
        provider.shutdown()


@contextmanager
def order_write_spans(tracer: Tracer, order_id: str, show_id: str) -> Iterator[CarriedContext]:
    """Record the page's two spans around the write of an order; yield the context for `_trace`."""
    order = {"boxoffice.order.id": order_id, "boxoffice.show.id": show_id}
    carried = baggage.set_baggage("order.id", order_id, Context())
    carried = baggage.set_baggage("show.id", show_id, carried)
    write = {"throughline.hop": "document", "throughline.carrier": "document-field", **order}
    root = {"throughline.root": "page", **order}
    with (
        tracer.start_as_current_span("buy", carried, attributes=root) as span,
        tracer.start_as_current_span(
            "create orders",
            trace.set_span_in_context(span, carried),
            SpanKind.PRODUCER,
            attributes=write,
        ) as create,
    ):
        yield _carried(trace.set_span_in_context(create, carried))


@contextmanager
def request_span(tracer: Tracer, name: str) -> Iterator[CarriedContext]:
    """Record the page's root span around a request; yield the context for its headers."""
    root = {"throughline.root": "page"}
    with tracer.start_as_current_span(name, Context(), SpanKind.CLIENT, attributes=root) as span:
        yield _carried(trace.set_span_in_context(span, Context()))


def _carried(context: Context) -> CarriedContext:
    field: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(field, context)
    W3CBaggagePropagator().inject(field, context)
    span = trace.get_current_span(context).get_span_context()
    return CarriedContext(trace.format_trace_id(span.trace_id), field)
