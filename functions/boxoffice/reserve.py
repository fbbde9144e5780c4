"""Reserve: holds the seats of an order that was just placed, or rejects it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from firebase_functions import firestore_fn
from google.cloud import firestore

import settings
import throughline
from boxoffice import clients, ledger, queues, topics, trail
from boxoffice.order import State
from boxoffice.redelivery import redelivered


@redelivered
@firestore_fn.on_document_created(document="orders/{order_id}")
@throughline.on_document
def reserve(event: firestore_fn.Event[Any]) -> None:
    """Hold the seats of the order that was placed."""
    hold(event.params["order_id"])


def hold(order_id: str) -> None:
    """Hold the seats, then tell the next stage and, because nobody waits for that, have the hold
    end some day; where the seats are held already, tell them again."""
    outcome = ledger.advance(order_id, State.RESERVED, hold_seats)
    if outcome.state is State.RESERVED:
        topics.tell(topics.ORDER_RESERVED, order_id)
        queues.expire_at(order_id, outcome.order["hold_until"])
    trail.record(order_id, outcome, by="reserve")


def hold_seats(order: ledger.Document, transaction: firestore.Transaction) -> ledger.Move:
    """Take the order's seats off the show's stock, or say why not."""
    shows = clients.firestore().collection(ledger.SHOWS)
    show_reference = shows.document(order["show_id"])
    show = show_reference.get(transaction=transaction).to_dict()
    if show is None:
        return ledger.Move(State.REJECTED, {"reason": "unknown_show"})
    if show["seats_left"] < order["seats"]:
        return ledger.Move(State.REJECTED, {"reason": "sold_out"})
    seats_left = show["seats_left"] - order["seats"]
    return ledger.Move(
        State.RESERVED,
        {
            "amount_cents": show["price_cents"] * order["seats"],
            "currency": show["currency"],
            "hold_until": datetime.now(UTC) + timedelta(seconds=settings.hold_seconds()),
        },
        lambda tx: tx.update(show_reference, {"seats_left": seats_left}),
    )
