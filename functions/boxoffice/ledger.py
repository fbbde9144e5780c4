"""Orders in Firestore. `move_order` is the only code that changes an order's state."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import firestore
from opentelemetry import trace

import throughline
from boxoffice import clients, enduser, facts, holds, retention, transactions
from boxoffice.failure import OrderFailure, PermanentFailure
from boxoffice.order import FINAL, MoveStatus, State, check_move, invalid_field

ORDERS = "orders"
SHOWS = "shows"
TICKETS = "tickets"

_log = logging.getLogger(__name__)

Document = Mapping[str, Any]


class UnknownOrder(PermanentFailure):
    """Raised for the id of an order that does not exist."""

    reason = "unknown_order"


class UnknownState(PermanentFailure):
    """Raised for an order whose state is missing or unknown."""

    reason = "unknown_state"


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
    """An order and its state after a stage handled it; `moved` is true if this stage moved it."""

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
    counted = order.get("counted")
    if seats := counted["held"] if counted else order["seats"]:
        show = clients.firestore().collection(SHOWS).document(order["show_id"])
        transactions.note_result(transaction, lambda result: stock_after_release(result, seats))
        transaction.update(show, {"seats_left": firestore.Increment(seats)})


def stock_after_release(result: Any, seats: int) -> facts.Facts:
    """Return the show's stock before and after `seats` were returned, from the write's result.

    Nothing, if the result lacks the new value: the order has moved, whatever a span can say of it.
    """
    if not result.transform_results:
        return {}
    after = result.transform_results[0].integer_value
    return facts.of_stock(after - seats, after)


def read_state(order_id: str, order: Document) -> State:
    """Return the order's state.

    Raises:
        UnknownState: the document has none, or one that is not in the table.
    """
    try:
        return State(order["state"])
    except (KeyError, ValueError) as error:
        raise UnknownState(f"order {order_id} has no usable state: {error}") from error


def check_form(order_id: str, state: State, order: Document) -> None:
    """Check the fields that the order's stages read.

    Raises:
        OrderFailure: one is missing or malformed.
    """
    if name := invalid_field(order):
        message = f"order {order_id} has no usable {name}"
        # Only a charge that succeeded has been stored while an order can still move.
        raise OrderFailure(order_id, state, "malformed_order", message, order.get("charge_id"))


Decide = Callable[[Document, firestore.Transaction], Move]


def move_order(order_id: str, target: State, decide: Decide | None = None) -> Outcome:
    """Move an order to `target`, or to the state that `decide` chooses, exactly once.

    `decide(order, transaction)` returns the move. It may read more documents, and runs again when
    the transaction is retried. Without it only the state changes. An order that made this move
    before, or that can no longer make it, is left unchanged. The order's facts and the outcome go
    on the span.

    Raises:
        UnknownOrder: there is no such order.
        UnknownState: the order's state is missing or unknown.
        OrderFailure: the order lacks a field that its move needs, or a document that the move
            changes does not exist.
        transactions.Contended: others kept the documents locked.
    """
    reference = clients.firestore().collection(ORDERS).document(order_id)
    span = trace.get_current_span()
    # First, because the transaction may raise.
    span.set_attribute("boxoffice.order.id", order_id)
    throughline.correct_baggage({"order.id": order_id})

    moves_from: list[State] = []

    def attempt(transaction: firestore.Transaction) -> Outcome:
        order = reference.get(transaction=transaction).to_dict()
        if order is None:
            raise UnknownOrder(f"there is no order {order_id}")
        throughline.correct_baggage({"show.id": order.get("show_id")})
        current = read_state(order_id, order)
        status = check_move(current, target)
        if status is not MoveStatus.LEGAL:
            transactions.note(facts.skipped(status.value))
            return Outcome(order, current, moved=False)
        if target is not State.FAILED:
            check_form(order_id, current, order)
        moves_from[:] = [current]
        move = decide(order, transaction) if decide else Move(target)
        changes = {
            **move.order,
            "state": move.to,
            f"moved_at.{move.to}": firestore.SERVER_TIMESTAMP,
            **throughline.trace_field(),
            **holds.stop_counting(transaction, order, move.to),
            **(retention.deletion() if move.to in FINAL else {}),
        }
        move.writes(transaction)
        transaction.update(reference, changes)
        transactions.note({facts.OUTCOME: facts.of_move(move.to)})
        return Outcome({**order, **move.order}, move.to, moved=True)

    try:
        outcome = transactions.run(attempt)
    except NotFound as error:
        if not moves_from:
            raise
        # The commit updates the show or tickets, of which one has been deleted.
        message = f"order {order_id} cannot be {target}: a document that the move changes is gone"
        raise OrderFailure(order_id, moves_from[0], "missing_document", message) from error
    attributes = facts.of_order(outcome.order, outcome.state)
    span.set_attributes({**attributes, **enduser.attributes(outcome.order.get("uid"))})
    if not outcome.moved:
        _log.info("Order %s is %s already; skipped", order_id, outcome.state, extra=attributes)
    elif reason := attributes.get("boxoffice.order.reason"):
        _log.info("Order %s is %s: %s", order_id, outcome.state, reason, extra=attributes)
    else:
        _log.info("Order %s is %s", order_id, outcome.state, extra=attributes)
    return outcome
