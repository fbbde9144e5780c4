"""Audit: appends each order's final state, and what moved it there, to an append-only log."""

from __future__ import annotations

import re
from typing import Any

from firebase_functions import eventarc_fn
from firebase_functions.core import CloudEvent
from google.api_core.exceptions import AlreadyExists
from opentelemetry import trace

import function_options
import throughline
from boxoffice import clients, facts, giving_up, order_events, retention
from boxoffice.failure import PermanentFailure
from boxoffice.order import is_order_id

AUDIT = "audit"


class UnreadableEvent(PermanentFailure):
    """Raised for an event that lacks a usable field."""

    reason = "unreadable_event"


@eventarc_fn.on_custom_event_published(
    event_type=order_events.ORDER_MOVED,
    channel=order_events.channel(),
    **function_options.AUDIT,
)
@throughline.on_event
@giving_up.on_permanent_failure(by="audit")
def audit(event: CloudEvent[Any]) -> None:
    """Create audit/{event id}; a second delivery finds that the document exists."""
    entry = {name: read_field(event, name) for name in ("order_id", "state", "by")}
    span = trace.get_current_span()
    span.set_attributes(facts.of_audit(entry))
    document = clients.firestore().collection(AUDIT).document(event.id)
    try:
        document.create(
            {**entry, "at": event.time, **retention.deletion(), **throughline.trace_field()}
        )
    except AlreadyExists:
        span.set_attributes(facts.skipped("done"))


def read_field(event: CloudEvent[Any], name: str) -> str:
    """Return one field of the event's data: an order's id, or a string of 1 to 64 characters.

    Raises:
        UnreadableEvent: the field is missing or has another form, or the event's id cannot be a
            document's id.
    """
    # Not a path, nor ".", ".." or "__x__", which Firestore refuses.
    if not re.fullmatch(r"[A-Za-z0-9-]{1,128}", event.id):
        raise UnreadableEvent("the event has no usable id")
    value = event.data.get(name) if isinstance(event.data, dict) else None
    usable = is_order_id(value) if name == "order_id" else isinstance(value, str) and value
    if not isinstance(value, str) or not usable or len(value) > 64:
        raise UnreadableEvent(f"event {event.id} has no usable {name}")
    return value
