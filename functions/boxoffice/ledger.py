"""Orders in Firestore. `move_order` is the only code that changes an order's state."""

from __future__ import annotations

import itertools
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.cloud import firestore
from opentelemetry import trace

import throughline
from boxoffice import clients, enduser, holds
from boxoffice.order import MoveStatus, State, check_move

ORDERS = "orders"
SHOWS = "shows"
TICKETS = "tickets"

# The Firestore client's default of 5 attempts is too few for the sale of a popular show.
TRANSACTION_ATTEMPTS = 20
# The client retries an aborted transaction immediately. Deliveries that aborted each other would
# then collide again, each time for as long as Firestore waits for a lock (2 s in the emulator).
RETRY_JITTER_SECONDS = 0.5

_log = logging.getLogger(__name__)

Document = Mapping[str, Any]


class UnknownOrder(Exception):
    """Raised for the id of an order that does not exist."""


@dataclass(frozen=True)
class Move:
    """The state to move an order to, and what else the same transaction changes.

    `order` holds further fields of the order. `writes` makes the writes to other documents. It is
    called after `decide` has returned, because Firestore allows no read after a write.
    """

    to: State
    order: Mapping[str, Any] = field(default_factory=dict)
    writes: Callable[[firestore.Transaction], None] = lambda _transaction: None


@dataclass(frozen=True)
class Outcome:
    """An order and its state after a stage handled it; `moved` tells if this stage moved it."""

    order: Document
    state: State
    moved: bool


def read(order_id: str) -> Document | None:
    """Return the order's document, or None if there is no such order."""
    order: Document | None = (
        clients.firestore().collection(ORDERS).document(order_id).get().to_dict()
    )
    return order


def tickets(order_id: str, order: Document) -> list[firestore.DocumentReference]:
    """Return references to the order's tickets, written or not: tickets/{order_id}-{number}."""
    collection = clients.firestore().collection(TICKETS)
    return [collection.document(f"{order_id}-{number}") for number in range(1, order["seats"] + 1)]


def release_seats(transaction: firestore.Transaction, order: Document) -> None:
    """Return the seats that the order took to the show's stock: none, if it is unpaid and has no
    hold."""
    if seats := order.get("held_seats", order["seats"]):
        show = clients.firestore().collection(SHOWS).document(order["show_id"])
        transaction.update(show, {"seats_left": firestore.Increment(seats)})


Decide = Callable[[Document, firestore.Transaction], Move]


def move_order(order_id: str, target: State, decide: Decide | None = None) -> Outcome:
    """Move an order to `target`, or to the state that `decide` chooses, exactly once.

    `decide(order, transaction)` returns the move. It may read more documents, and runs again when
    the transaction is retried. Without it only the state changes. An order that made this move
    before, or that can no longer make it, is left unchanged, and the span's
    `boxoffice.nothing_to_do` says which. `boxoffice.transaction.attempts` on the span exceeds one
    if other writers changed what the transaction had read.

    Raises:
        UnknownOrder: there is no such order.
    """
    reference = clients.firestore().collection(ORDERS).document(order_id)
    span = trace.get_current_span()
    span.set_attribute("boxoffice.order.id", order_id)
    throughline.correct_baggage({"order.id": order_id})

    attempts = itertools.count()

    @firestore.transactional
    def attempt(transaction: firestore.Transaction) -> Outcome:
        retries = next(attempts)
        span.set_attribute("boxoffice.transaction.attempts", retries + 1)
        time.sleep(random.uniform(0, retries * RETRY_JITTER_SECONDS))  # noqa: S311
        order = reference.get(transaction=transaction).to_dict()
        if order is None:
            raise UnknownOrder(f"there is no order {order_id}")
        throughline.correct_baggage({"show.id": order.get("show_id")})
        current = State(order["state"])
        status = check_move(current, target)
        if status is not MoveStatus.LEGAL:
            span.set_attribute("boxoffice.nothing_to_do", status.value)
            return Outcome(order, current, moved=False)
        move = decide(order, transaction) if decide else Move(target)
        changes = {
            **move.order,
            "state": move.to,
            f"moved_at.{move.to}": firestore.SERVER_TIMESTAMP,
            **throughline.trace_field(),
            **holds.stop_counting(transaction, order, move.to),
        }
        move.writes(transaction)
        transaction.update(reference, changes)
        return Outcome({**order, **move.order}, move.to, moved=True)

    outcome: Outcome = attempt(clients.firestore().transaction(max_attempts=TRANSACTION_ATTEMPTS))
    span.set_attribute("boxoffice.order.state", outcome.state)
    enduser.set_on_span(outcome.order.get("uid"))
    span.set_attribute("boxoffice.show.id", str(outcome.order.get("show_id")))
    if outcome.moved:
        _log.info("Order %s is %s", order_id, outcome.state)
    else:
        _log.info("Order %s is %s already; nothing to do", order_id, outcome.state)
    return outcome
