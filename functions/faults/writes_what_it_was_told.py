"""writes-what-it-was-told: a message that comes late takes the order back to where it was.

Pub/Sub promises no order, and a message may come again days later. Who comes last is not who is
right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

if TYPE_CHECKING:
    from google.cloud.firestore import Client


def move(
    firestore: Client, order_id: str, state: str, trace_field: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Write the state that the message speaks of; returns the order as it was read before."""
    from google.cloud.firestore import SERVER_TIMESTAMP  # noqa: PLC0415

    reference = firestore.collection("orders").document(order_id)
    order = reference.get().to_dict() or {}
    reference.update({"state": state, f"moved_at.{state}": SERVER_TIMESTAMP, **trace_field})
    span = trace.get_current_span()
    span.set_attribute("boxoffice.order.id", order_id)
    span.set_attribute("boxoffice.order.state", state)
    return order
