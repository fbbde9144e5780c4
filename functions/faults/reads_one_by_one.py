"""reads-one-by-one: a list of ids, then one call for each of them (N+1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.firestore import Client


def seats_left(firestore: Client, show_id: str, seats_total: int) -> int:
    """The seats that no ticket is out for, as the tickets themselves say it."""
    from google.cloud.firestore import FieldFilter  # noqa: PLC0415

    tickets = firestore.collection("tickets").where(filter=FieldFilter("show_id", "==", show_id))
    ids = [ticket.id for ticket in tickets.select([]).get()]
    read = [firestore.collection("tickets").document(ticket_id).get() for ticket_id in ids]
    return seats_total - sum(not (ticket.to_dict() or {}).get("void") for ticket in read)
