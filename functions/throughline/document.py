"""Hops 4, 6 and 14: context crosses Firestore in a field of the document itself.

Firestore's triggers and listeners carry nothing of the writer's context, so the writer leaves it
in the reserved map field `_trace`, and whoever meets the document next finds it there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.trace import SpanKind

from throughline import carrier
from throughline.invocation import Reception, Returned, traced

FIELD = "_trace"


def trace_field() -> dict[str, dict[str, str]]:
    """The current span's context as the field to merge into a document that is being written.

    Returns `{"_trace": {"traceparent": …}}`, with tracestate and baggage where there are any; an
    empty map outside a span.
    """
    context = carrier.write()
    return {FIELD: context} if context else {}


def on_document(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.firestore_fn` calls with a document's event.

    Goes directly above `def`. The span's parent is the `_trace` of the document as it is after the
    event, or, where it was deleted, as it was before.
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
