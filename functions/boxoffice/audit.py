"""Audit: appends what happened to an order, and by whom, to a list that nobody changes."""

from __future__ import annotations

from typing import Any

from firebase_functions import eventarc_fn
from firebase_functions.core import CloudEvent
from google.api_core.exceptions import AlreadyExists
from opentelemetry import trace

import throughline
from boxoffice import clients, order_events

AUDIT = "audit"


class UnreadableEvent(Exception):
    """Raised for an event that doesn't say what happened; delivering it again won't help."""


@eventarc_fn.on_custom_event_published(event_type=order_events.ORDER_MOVED, retry=True)
@throughline.on_event
def audit(event: CloudEvent[Any]) -> None:
    """Write audit/{event id}, once: the second delivery of an event finds it there."""
    entry = {name: text_in(event, name) for name in ("order_id", "state", "by")}
    span = trace.get_current_span()
    span.set_attribute("boxoffice.order.id", entry["order_id"])
    span.set_attribute("boxoffice.order.state", entry["state"])
    document = clients.firestore().collection(AUDIT).document(event.id)
    try:
        document.create({**entry, "at": event.time, **throughline.trace_field()})
    except AlreadyExists:
        span.set_attribute("boxoffice.nothing_to_do", "done")


def text_in(event: CloudEvent[Any], name: str) -> str:
    """One field of the event's data.

    Raises:
        UnreadableEvent: it isn't there, or is no text that Firestore could keep.
    """
    value = event.data.get(name) if isinstance(event.data, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= 64 or "/" in event.id:
        raise UnreadableEvent(f"event {event.id} has no usable {name}")
    return value
