"""Issue: writes the tickets of a paid order."""

from __future__ import annotations

from typing import Any

from firebase_functions import pubsub_fn
from firebase_functions.core import CloudEvent
from google.cloud import firestore

import function_options
import throughline
from boxoffice import giving_up, ledger, order_events, retention, tally, topics, transactions
from boxoffice.order import State


@pubsub_fn.on_message_published(topic=topics.ORDER_PAID, **function_options.ISSUE)
@throughline.on_message
@giving_up.on_permanent_failure(by="issue")
def issue(event: CloudEvent[Any]) -> None:
    """Write one ticket per seat, in the transaction that moves the order to ticketed."""
    order_id = topics.read_order_id(event)

    def add_tickets(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        def write(transaction: firestore.Transaction) -> None:
            count_order(transaction, order)
            write_tickets(transaction, order_id, order)

        return ledger.Move(State.TICKETED, writes=write)

    outcome = ledger.move_order(order_id, State.TICKETED, add_tickets)
    order_events.record(order_id, outcome, by="issue")


def count_order(transaction: firestore.Transaction, order: ledger.Document) -> None:
    """Count the order and its seats in the tally."""
    tally.add(transaction, 1, order["seats"])


def write_tickets(
    transaction: firestore.Transaction, order_id: str, order: ledger.Document
) -> None:
    """Create tickets/{order_id}-{number}, one per seat, numbered from 1."""
    tickets = ledger.tickets(order_id, order)
    for number, ticket in enumerate(tickets, start=1):
        transaction.create(
            ticket,
            {
                "uid": order["uid"],
                "order_id": order_id,
                "show_id": order["show_id"],
                "number": number,
                "code": ticket_code(order["show_id"], order_id, number),
                "issued_at": firestore.SERVER_TIMESTAMP,
                **retention.deletion(),
            },
        )
    transactions.note({"boxoffice.tickets.written": len(tickets)})


def ticket_code(show_id: str, order_id: str, number: int) -> str:
    """Return a ticket's code: the show's first word, the order's last six characters, the number.

    For example "NOCTURNE-B7KQ2X-1".
    """
    return f"{show_id.split('-', maxsplit=1)[0]}-{order_id[-6:]}-{number}".upper()
