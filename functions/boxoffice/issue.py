"""Issue: writes the tickets of an order that is paid for."""

from __future__ import annotations

from typing import Any

from firebase_functions import pubsub_fn
from firebase_functions.core import CloudEvent
from google.cloud import firestore

import throughline
from boxoffice import ledger, order_events, tally, topics
from boxoffice.order import State


@pubsub_fn.on_message_published(topic=topics.ORDER_PAID, retry=True)
@throughline.on_message
def issue(event: CloudEvent[Any]) -> None:
    """Write one ticket a seat, in the transaction that moves the order."""
    order_id = topics.order_id_in(event)

    def write_tickets(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        def write(transaction: firestore.Transaction) -> None:
            count_order(transaction, order)
            print_tickets(transaction, order_id, order)

        return ledger.Move(State.TICKETED, writes=write)

    outcome = ledger.advance(order_id, State.TICKETED, write_tickets)
    order_events.record(order_id, outcome, by="issue")


def count_order(transaction: firestore.Transaction, order: ledger.Document) -> None:
    """Count the order and its seats in the tally."""
    tally.add(transaction, 1, order["seats"])


def print_tickets(
    transaction: firestore.Transaction, order_id: str, order: ledger.Document
) -> None:
    """Write tickets/{order_id}-{number} for each seat; the same order always gets the same ones."""
    for number, ticket in enumerate(ledger.tickets(order_id, order), start=1):
        transaction.create(
            ticket,
            {
                "uid": order["uid"],
                "order_id": order_id,
                "show_id": order["show_id"],
                "number": number,
                "code": ticket_code(order["show_id"], order_id, number),
                "issued_at": firestore.SERVER_TIMESTAMP,
            },
        )


def ticket_code(show_id: str, order_id: str, number: int) -> str:
    """Return a ticket's code: the show, the order's last six characters and the number."""
    return f"{show_id.split('-', maxsplit=1)[0]}-{order_id[-6:]}-{number}".upper()
