"""Hops 4, 6 and 14: context crosses Firestore in a field of the document itself.

Firestore's triggers and listeners carry nothing of the writer's context, so the writer stores it
in the reserved map field `_trace`, where the next reader of the document finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import Link, SpanKind

from throughline import baggage_corrections, carrier
from throughline.invocation import Reception, Returned, traced

FIELD = "_trace"


def trace_field() -> dict[str, dict[str, str]]:
    """Return the current span's context as the field to merge into a document that is written.

    Returns `{"_trace": {"traceparent": …}}`, with tracestate and baggage if there are any, or
    an empty map outside a span.
    """
    written = carrier.write()
    return {FIELD: written} if written else {}


def link_to_document(document: Mapping[str, Any]) -> None:
    """Link the current span to the one that wrote `document`, if its `_trace` names one."""
    writer = carrier.read(document.get(FIELD)).span_context
    if writer:
        trace.get_current_span().add_link(writer, {"throughline.link": "document"})


@contextmanager
def rejoining(document: Mapping[str, Any], name: str) -> Iterator[None]:
    """Work on one of many documents in that document's own trace, as a scheduled function does.

    Inside, a span of that name is current. It is a child of the span that wrote `document`, and it
    and the span that was current before link to each other. If the document carries no context, the
    new span is a child of the current one.
    """
    arrival = carrier.read(document.get(FIELD))
    visiting_span = trace.get_current_span()
    links = []
    if arrival.span_context:
        link_to_document(document)
        links = [Link(visiting_span.get_span_context(), {"throughline.link": "visitor"})]
    parent_context = arrival.context if arrival.span_context else context.get_current()
    token = context.attach(baggage_corrections.begin(parent_context))
    try:
        with trace.get_tracer("throughline").start_as_current_span(
            name,
            links=links,
            attributes={
                "throughline.carrier": "document-field",
                "throughline.context": arrival.state,
            },
        ):
            yield
    finally:
        context.detach(token)


def on_document(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.firestore_fn` calls with a document's event.

    Apply it directly above `def`. The span's parent is the `_trace` of the document after the
    event, or before it if the document was deleted.
    """
    return traced(function, _receive)


def _receive(event: Any) -> Reception:
    after = getattr(event.data, "after", event.data)
    snapshot = after if after is not None else getattr(event.data, "before", None)
    document = (snapshot.to_dict() or {}) if snapshot is not None else {}
    return Reception(
        arrival=carrier.read(document.get(FIELD)),
        hop="trigger",
        carried_in="document-field",
        kind=SpanKind.CONSUMER,
        attributes={
            "faas.trigger": "datasource",
            "faas.document.collection": event.document.split("/")[0],
            "faas.document.name": event.document,
            "faas.document.operation": _OPERATIONS.get(event.type.rsplit(".", 1)[-1], "edit"),
            "faas.document.time": event.time.isoformat(),
            "faas.invocation_id": event.id,
            "cloudevents.event_id": event.id,
            "cloudevents.event_source": event.source,
            "cloudevents.event_type": event.type,
        },
    )


_OPERATIONS = {"created": "insert", "deleted": "delete"}
