"""Faults of boxoffice/issue.py."""

from __future__ import annotations

from google.cloud import firestore

from boxoffice import clients, ledger
from faults.fault import replaces


@replaces("boxoffice.issue:ticket_code", flag="chokes-on-a-name", kind="delivery")
def ticket_code(show_id: str, order_id: str, number: int) -> str:
    """Puts the second word of the show's id into the ticket's code, though it may have only one.

    The message then fails each time it is delivered.
    """
    return f"{show_id.split('-')[1]}-{order_id[-6:]}-{number}".upper()


@replaces("boxoffice.issue:count_order", flag="counts-in-one-document", kind="writes")
def count_order(transaction: firestore.Transaction, order: ledger.Document) -> None:
    """Counts all orders in one document, which every order's transaction reads and writes.

    Firestore makes a transaction wait if another one has locked what it writes, and aborts some. So
    unrelated orders queue for one document, and the queue is longest when sales are best.
    """
    total = clients.firestore().document("tally/0")
    current = total.get(transaction=transaction).to_dict() or {}
    orders, seats = current.get("orders", 0), current.get("seats", 0)
    transaction.set(total, {"orders": orders + 1, "seats": seats + order["seats"]})
