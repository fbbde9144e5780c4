"""The tally: the number of ticketed orders, and of their tickets, over all shows.

Concurrent writers of one Firestore document wait for each other, so a single counter document would
slow down every order. The counter is split into shards, and readers add them up
(firebase.google.com/docs/firestore/solutions/counters).
"""

from __future__ import annotations

import random

from google.cloud import firestore

from boxoffice import clients

TALLY = "tally"

# Sustains about as many orders per second: one document takes about one write per second. A reader
# reads every shard.
SHARDS = 10


def add(transaction: firestore.Transaction, orders: int, seats: int) -> None:
    """Add `orders` and `seats`, which may be negative, in the transaction that moves an order.

    So an order is counted once, however often its event is delivered. An increment reads nothing,
    so writers of the same shard wait for each other only while they commit.
    """
    shard = clients.firestore().collection(TALLY).document(str(random.randrange(SHARDS)))  # noqa: S311
    increments = {"orders": firestore.Increment(orders), "seats": firestore.Increment(seats)}
    transaction.set(shard, increments, merge=True)
