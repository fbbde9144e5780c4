"""Orders in Firestore: the one way to move an order from one state to the next."""

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
from boxoffice import clients, enduser
from boxoffice.order import State, Verdict, judge

ORDERS = "orders"
SHOWS = "shows"
TICKETS = "tickets"

# Firestore's client tries 5 times; a popular show's sale needs more patience than that.
TRANSACTION_ATTEMPTS = 20
# The client begins an aborted transaction anew at once. Deliveries that aborted each other would
# meet again, each time for as long as Firestore waits for a lock (2 s in the emulator).
TRANSACTION_SPREAD_SECONDS = 0.5

_log = logging.getLogger(__name__)

Document = Mapping[str, Any]


class UnknownOrder(Exception):
    """Raised where an order is named that isn't there."""


@dataclass(frozen=True)
class Move:
    """A state to move to, and what else changes with it, all in one transaction.

    `order` holds further fields of the order; `writes` come before the order's own, when all that
    `decide` reads has been read: Firestore takes no read after a write.
    """

    to: State
    order: Mapping[str, Any] = field(default_factory=dict)
    writes: Callable[[firestore.Transaction], None] = lambda _transaction: None


@dataclass(frozen=True)
class Outcome:
    """Where an order is after a stage was done with it, and whether the stage moved it there."""

    order: Document
    state: State
    moved: bool


def read(order_id: str) -> Document | None:
    """An order as it is now; None where there is none."""
    found: Document | None = (
        clients.firestore().collection(ORDERS).document(order_id).get().to_dict()
    )
    return found


def tickets(order_id: str, order: Document) -> list[firestore.DocumentReference]:
    """Where the tickets of an order are, or will be: tickets/{order_id}-{number}, from 1."""
    collection = clients.firestore().collection(TICKETS)
    return [collection.document(f"{order_id}-{number}") for number in range(1, order["seats"] + 1)]


def seats_back(order: Document) -> Callable[[firestore.Transaction], None]:
    """The write that gives an order's seats back to the show's stock."""
    show = clients.firestore().collection(SHOWS).document(order["show_id"])
    seats = firestore.Increment(order["seats"])
    return lambda transaction: transaction.update(show, {"seats_left": seats})


Decide = Callable[[Document, firestore.Transaction], Move]


def advance(order_id: str, wanted: State, decide: Decide | None = None) -> Outcome:
    """Move an order to `wanted`, or to where `decide` says, exactly once however often it is asked.

    `decide(order, transaction)` runs inside the transaction, perhaps several times, and may read;
    without it the move changes nothing but the state. An order that made this move before, or went
    another way, is left alone, and the current span says so. It also says how often the transaction
    was begun: more than once where others wrote what it had read.

    Raises:
        UnknownOrder: there is no such order.
    """
    reference = clients.firestore().collection(ORDERS).document(order_id)
    span = trace.get_current_span()
    span.set_attribute("boxoffice.order.id", order_id)
    throughline.correct_baggage({"order.id": order_id})

    tries = itertools.count()

    @firestore.transactional
    def attempt(transaction: firestore.Transaction) -> Outcome:
        aborted = next(tries)
        span.set_attribute("boxoffice.transaction.attempts", aborted + 1)
        time.sleep(random.uniform(0, aborted * TRANSACTION_SPREAD_SECONDS))  # noqa: S311
        order = reference.get(transaction=transaction).to_dict()
        if order is None:
            raise UnknownOrder(f"there is no order {order_id}")
        throughline.correct_baggage({"show.id": order.get("show_id")})
        now = State(order["state"])
        verdict = judge(now, wanted)
        if verdict is not Verdict.MAKE:
            span.set_attribute("boxoffice.nothing_to_do", verdict.value)
            return Outcome(order, now, moved=False)
        move = decide(order, transaction) if decide else Move(wanted)
        changes = {
            **move.order,
            "state": move.to,
            f"moved_at.{move.to}": firestore.SERVER_TIMESTAMP,
            **throughline.trace_field(),
        }
        move.writes(transaction)
        transaction.update(reference, changes)
        return Outcome({**order, **move.order}, move.to, moved=True)

    outcome: Outcome = attempt(clients.firestore().transaction(max_attempts=TRANSACTION_ATTEMPTS))
    span.set_attribute("boxoffice.order.state", outcome.state)
    enduser.put_on_span(outcome.order.get("uid"))
    span.set_attribute("boxoffice.show.id", str(outcome.order.get("show_id")))
    if outcome.moved:
        _log.info("Order %s is %s", order_id, outcome.state)
    else:
        _log.info("Order %s is %s already; nothing to do", order_id, outcome.state)
    return outcome
