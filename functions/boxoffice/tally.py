"""The tally: how many orders have tickets, of all shows there are, and how many tickets those are.

One number in one document would be written by every order of every show at once, and Firestore
makes writers of one document wait for each other. So it is kept in parts, and its readers add up.
"""

from __future__ import annotations

import random

from google.cloud import firestore

from boxoffice import clients

TALLY = "tally"

# About so many orders a second may come for long: one document bears about one write a second
# (firebase.google.com/docs/firestore/solutions/counters). Readers read as many documents.
PARTS = 10


def add(transaction: firestore.Transaction, orders: int, seats: int) -> None:
    """Count an order and its seats, or take them off again, in the transaction that moves it; so it
    is counted once, however often its event is delivered.

    The write adds without having read, so those who add to the same part hold each other up only
    while they commit.
    """
    part = clients.firestore().collection(TALLY).document(str(random.randrange(PARTS)))  # noqa: S311
    more = {"orders": firestore.Increment(orders), "seats": firestore.Increment(seats)}
    transaction.set(part, more, merge=True)
