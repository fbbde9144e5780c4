"""Trace context for tests."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
#: What a platform might put on the HTTP request by itself.
AMBIENT = "00-11111111111111111111111111111111-2222222222222222-00"


@dataclass(frozen=True)
class Kinship:
    """A span's parent as `traceparent` names it, or None; and those of its links."""

    parent: str | None
    links: list[str]


def kinship(span: ReadableSpan) -> Kinship:
    """Where a span comes from, in the form `trace id-span id`."""
    parent = f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" if span.parent else None
    links = [f"{link.context.trace_id:032x}-{link.context.span_id:016x}" for link in span.links]
    return Kinship(parent, links)


def ids(traceparent: str) -> str:
    """The ids of a traceparent, in the form `trace id-span id`."""
    return "-".join(traceparent.split("-")[1:3])


def the_span(spans: InMemorySpanExporter) -> ReadableSpan:
    """The only span there is."""
    (span,) = spans.get_finished_spans()
    return span


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    """A span's attributes as a plain map."""
    return dict(span.attributes or {})
