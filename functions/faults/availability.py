"""Faults of boxoffice/availability.py."""

from __future__ import annotations

from google.cloud.firestore import FieldFilter
from opentelemetry import trace

from boxoffice import clients, ledger
from faults.fault import replaces

WITHOUT_SEATS = ("placed", "rejected", "declined", "expired", "refunded", "failed")


@replaces("boxoffice.availability:seats_left", flag="reads-everything", kind="reads")
def seats_left_by_all_tickets(show: ledger.Document) -> int:
    """Counts the seats that are left with a query for the tickets of every show.

    The query was fast while there were few shows.
    """
    tickets = [ticket.to_dict() or {} for ticket in clients.firestore().collection("tickets").get()]
    trace.get_current_span().set_attribute("db.response.returned_rows", len(tickets))
    taken = [ticket for ticket in tickets if ticket.get("show_id") == show["id"]]
    return int(show["seats_total"]) - len(taken)


@replaces("boxoffice.availability:seats_left", flag="asks-without-an-index", kind="indexes")
def seats_left_by_orders(show: ledger.Document) -> int:
    """Counts the seats that are left with a query whose composite index does not exist."""
    orders = (
        clients.firestore()
        .collection("orders")
        .where(filter=FieldFilter("show_id", "==", show["id"]))
        .where(filter=FieldFilter("state", "not-in", list(WITHOUT_SEATS)))
    )
    taken = sum((order.to_dict() or {})["seats"] for order in orders.get())
    return int(show["seats_total"] - taken)
