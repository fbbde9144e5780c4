"""copies-into-its-own-collection: a trigger whose work sets it off again.

In production nothing ends such a loop but a budget alert, read by somebody. Here a copy of a copy
of a copy is the last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.cloud.firestore import CollectionReference

GENERATIONS_MAX = 3


def keep_copy(
    orders: CollectionReference,
    order_id: str,
    order: Mapping[str, Any],
    trace_field: Mapping[str, Any],
) -> None:
    """Keep the order as it was placed, for the records, beside the order itself."""
    generation = order.get("generation", 0) + 1
    if generation > GENERATIONS_MAX:
        return
    as_placed = ("uid", "show_id", "seats", "card_token", "placed_at")
    copy = {name: order[name] for name in as_placed}
    orders.document(f"{order_id}-copy").set(
        {**copy, "state": "placed", "generation": generation, **trace_field}
    )
