"""asks-without-an-index: a query that nobody made an index for, since it works without one here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.firestore import Client

WITHOUT_SEATS = ("placed", "rejected", "declined", "expired", "refunded")


def seats_left(firestore: Client, show_id: str, seats_total: int) -> int:
    """The seats that no order of the show has or holds."""
    from google.cloud.firestore import FieldFilter  # noqa: PLC0415

    orders = (
        firestore.collection("orders")
        .where(filter=FieldFilter("show_id", "==", show_id))
        .where(filter=FieldFilter("state", "not-in", list(WITHOUT_SEATS)))
    )
    taken: int = sum((order.to_dict() or {})["seats"] for order in orders.get())
    return seats_total - taken
