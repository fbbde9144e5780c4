"""counts-in-one-document: every order of every show reads one document, and writes it.

Firestore lets transactions that read what another one writes wait, and aborts some. So orders that
have nothing to do with each other stand in one line, and the line is longest when most are sold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.firestore import Client, Transaction

DOCUMENT = "tally/0"


def add(firestore: Client, transaction: Transaction, seats: int) -> Callable[[Transaction], None]:
    """Read how many there are; returns the write of one order more."""
    total = firestore.document(DOCUMENT)
    found = total.get(transaction=transaction).to_dict() or {}
    more = {"orders": found.get("orders", 0) + 1, "seats": found.get("seats", 0) + seats}
    return lambda transaction: transaction.set(total, more)
