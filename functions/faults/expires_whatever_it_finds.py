"""expires-whatever-it-finds: a task that comes hours late acts on what was true once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

if TYPE_CHECKING:
    from google.cloud.firestore import Client


def expire(firestore: Client, order_id: str, trace_field: Mapping[str, Any]) -> None:
    """End the order and put its seats back; when this task was made it was not paid for."""
    from google.cloud.firestore import SERVER_TIMESTAMP, Increment  # noqa: PLC0415

    order = firestore.collection("orders").document(order_id)
    found = order.get().to_dict() or {}
    batch = firestore.batch()
    batch.update(order, {"state": "expired", "moved_at.expired": SERVER_TIMESTAMP, **trace_field})
    show = firestore.collection("shows").document(found["show_id"])
    batch.update(show, {"seats_left": Increment(found["seats"])})
    batch.commit()
    trace.get_current_span().set_attribute("boxoffice.order.state", "expired")
