"""Faults of boxoffice/issue.py."""

from __future__ import annotations

from google.cloud import firestore

from boxoffice import clients, ledger
from faults.fault import replaces


@replaces("boxoffice.issue:ticket_code", flag="chokes-on-a-name", kind="delivery")
def ticket_code(show_id: str, order_id: str, number: int) -> str:
    """Takes the second word of the show's id for the ticket's code, where there may be none.

    The message then fails each time that it is delivered.
    """
    return f"{show_id.split('-')[1]}-{order_id[-6:]}-{number}".upper()


@replaces("boxoffice.issue:count_order", flag="counts-in-one-document", kind="writes")
def count_order(transaction: firestore.Transaction, order: ledger.Document) -> None:
    """Counts all orders in one document, which the transaction of each reads and writes.

    Firestore lets transactions that read what another one writes wait, and aborts some. So orders
    that have nothing to do with each other stand in one line, which is longest when most are sold.
    """
    total = clients.firestore().document("tally/0")
    found = total.get(transaction=transaction).to_dict() or {}
    more = {"orders": found.get("orders", 0) + 1, "seats": found.get("seats", 0) + order["seats"]}
    transaction.set(total, more)
