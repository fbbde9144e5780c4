"""Issue: writes the tickets of an order that is paid for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebase_functions import pubsub_fn
from firebase_functions.core import CloudEvent
from google.cloud import firestore

import faults
import throughline
from boxoffice import clients, ledger, order_events, tally, topics
from boxoffice.order import State


@pubsub_fn.on_message_published(topic=topics.ORDER_PAID, retry=True)
@throughline.on_message
def issue(event: CloudEvent[Any]) -> None:
    """Write one ticket a seat, in the transaction that moves the order."""
    order_id = topics.order_id_in(event)

    def write_tickets(order: ledger.Document, transaction: firestore.Transaction) -> ledger.Move:
        count = count_of(order_id, order, transaction)

        def write(transaction: firestore.Transaction) -> None:
            print_tickets(transaction, order_id, order)
            count(transaction)

        return ledger.Move(State.TICKETED, writes=write)

    outcome = ledger.advance(order_id, State.TICKETED, write_tickets)
    order_events.record(order_id, outcome, by="issue")


def count_of(
    order_id: str, order: ledger.Document, transaction: firestore.Transaction
) -> Callable[[firestore.Transaction], None]:
    """The write that counts the order in the tally."""
    count = tally.add(1, order["seats"])
    if faults.on("counts-in-one-document"):
        in_one = faults.counts_in_one_document
        count = in_one.add(clients.firestore(), transaction, order["seats"])
    if faults.on("firestore-is-far"):
        faults.firestore_is_far.travel(clients.firestore(), order_id)
    return count


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
    """What is printed on a ticket: the show, the order's last six characters, the number."""
    if faults.on("chokes-on-a-name"):
        return faults.chokes_on_a_name.ticket_code(show_id, order_id, number)
    return f"{show_id.split('-', maxsplit=1)[0]}-{order_id[-6:]}-{number}".upper()
