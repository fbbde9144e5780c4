"""Send the spans that the page would send, from a client without a browser."""

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
class Carried:
    """The trace that was begun, and its context as the map that a document's field or HTTP's
    headers carry."""

    trace_id: str
    field: dict[str, str]


@contextmanager
def page(otlp: str, spans_max: int = 2048) -> Iterator[Tracer]:
    """A tracer of the service `page` that loses nothing; all is sent when the block ends."""
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
def buying(tracer: Tracer, order_id: str, show_id: str) -> Iterator[Carried]:
    """Write one order inside the page's two spans; yields what goes into its `_trace`."""
    about = {"boxoffice.order.id": order_id, "boxoffice.show.id": show_id}
    carried = baggage.set_baggage("order.id", order_id, Context())
    carried = baggage.set_baggage("show.id", show_id, carried)
    write = {"throughline.hop": "document", "throughline.carrier": "document-field", **about}
    root = {"throughline.root": "page", **about}
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
def asking(tracer: Tracer, name: str) -> Iterator[Carried]:
    """Ask a function something inside a root of the page's; yields what goes into the headers."""
    root = {"throughline.root": "page"}
    with tracer.start_as_current_span(name, Context(), SpanKind.CLIENT, attributes=root) as span:
        yield _carried(trace.set_span_in_context(span, Context()))


def _carried(within: Context) -> Carried:
    field: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(field, within)
    W3CBaggagePropagator().inject(field, within)
    span = trace.get_current_span(within).get_span_context()
    return Carried(trace.format_trace_id(span.trace_id), field)
