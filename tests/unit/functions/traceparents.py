"""Trace context for tests, and helpers that read it from spans."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
#: A traceparent that a platform might set on the HTTP request.
AMBIENT = "00-11111111111111111111111111111111-2222222222222222-00"


@dataclass(frozen=True)
class Kinship:
    """A span's parent, or None, and its links, as "trace id-span id"."""

    parent: str | None
    links: list[str]


def kinship(span: ReadableSpan) -> Kinship:
    """Return a span's parent and links."""
    parent = f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" if span.parent else None
    links = [f"{link.context.trace_id:032x}-{link.context.span_id:016x}" for link in span.links]
    return Kinship(parent, links)


def ids(traceparent: str) -> str:
    """Return a traceparent's ids as "trace id-span id"."""
    return "-".join(traceparent.split("-")[1:3])


def the_span(spans: InMemorySpanExporter) -> ReadableSpan:
    """Return the only recorded span."""
    (span,) = spans.get_finished_spans()
    return span


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    """Return a span's attributes as a dict."""
    return dict(span.attributes or {})
