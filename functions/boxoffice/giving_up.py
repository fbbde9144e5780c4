"""Ends what failed for good, at the edge of each stage, so that nothing retries it.

An order that cannot go on moves to failed: its payment is refunded, its seats are for sale again,
and the buyer's page shows the reason. What belongs to no order that could move becomes a dead
letter, a document with the reason and the event.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import flask
from google.cloud import firestore
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

import throughline
from boxoffice import acquirer, clients, facts, ledger, order_events, retention
from boxoffice.failure import OrderFailure, PermanentFailure
from boxoffice.order import State, invalid_field

DEAD_LETTERS = "dead_letters"

# A document holds at most 1 MiB.
EVENT_BYTES_MAX = 100_000

_log = logging.getLogger(__name__)


class OrderMovedOn(Exception):
    """Raised inside the transaction if the order has left the state in which it failed."""


@contextmanager
def on_permanent_failure(by: str) -> Iterator[None]:
    """Give up on a permanent failure of the block, or of the function that this decorates.

    The function then returns None, which acknowledges its event. Apply it below throughline's
    decorator, so that the failure is on the function's span. `by` is the stage's name.
    """
    try:
        yield
    except PermanentFailure as failure:
        give_up(failure, by)


def give_up(failure: PermanentFailure, by: str) -> None:
    """Fail the order of `failure`. If it has none, or the order cannot move, store a dead letter.

    Raises what Firestore and the card processor raise. The stage then fails, and is retried.
    """
    if isinstance(failure, OrderFailure):
        try:
            fail_order(failure, by)
        except PermanentFailure as reason_to_stop:
            failure = reason_to_stop
        else:
            return
    set_on_span(failure)
    store_dead_letter(failure, by)


def fail_order(failure: OrderFailure, by: str) -> ledger.Outcome:
    """Refund the order's payment, if any, and move the order to failed, with its seats returned.

    The refund comes first: an order that failed has its money back. Between the two, the event that
    led here is delivered again, and under its idempotency key the processor refunds once. An order
    that moved on in the meantime is left unchanged.

    Raises:
        acquirer.Refused: the processor refuses the refund. The order has failed all the same.
        acquirer.AcquirerError: the processor has not refunded the payment yet.
        PermanentFailure: the order cannot move.
    """
    set_on_span(failure)
    try:
        if failure.charge_id:
            _log.warning("Order %s fails; refunding its payment", failure.order_id)
            acquirer.refund(failure.order_id, failure.charge_id)
    except acquirer.Refused:
        move_to_failed(failure, by)
        raise
    return move_to_failed(failure, by)


def move_to_failed(failure: OrderFailure, by: str) -> ledger.Outcome:
    """Move the order to failed with the reason, and return its seats to the show, if there is one.

    Raises what `ledger.move_order` raises.
    """

    def decide(order: ledger.Document, transaction: firestore.Transaction) -> ledger.Move:
        if order["state"] != failure.state:
            raise OrderMovedOn
        move = {"reason": failure.reason}
        if failure.charge_id:
            move["charge_id"] = failure.charge_id
        if not holds_seats(order, transaction):
            return ledger.Move(State.FAILED, move)
        return ledger.Move(State.FAILED, move, lambda tx: ledger.release_seats(tx, order))

    try:
        outcome = ledger.move_order(failure.order_id, State.FAILED, decide)
    except OrderMovedOn:
        order = ledger.read(failure.order_id) or {}
        return ledger.Outcome(order, State(order["state"]), moved=False)
    order_events.record(failure.order_id, outcome, by=by)
    return outcome


def holds_seats(order: ledger.Document, transaction: firestore.Transaction) -> bool:
    """Return whether the order holds seats of a show that still exists."""
    if order["state"] == State.PLACED or invalid_field(order) in ("show_id", "seats"):
        return False
    show = clients.firestore().collection(ledger.SHOWS).document(order["show_id"])
    return bool(show.get(transaction=transaction).exists)


def set_on_span(failure: PermanentFailure) -> None:
    """Set the failure's reason on the current span, and the exception as its error."""
    kind, span = type(failure), trace.get_current_span()
    span.record_exception(failure)
    span.set_attributes(
        {
            facts.OUTCOME: facts.Ending.GAVE_UP,
            "boxoffice.permanent_failure": failure.reason,
            "error.type": f"{kind.__module__}.{kind.__qualname__}",
        }
    )
    span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {failure}"))


def store_dead_letter(failure: PermanentFailure, by: str) -> None:
    """Store dead_letters/{id} with the reason and the event.

    The id is derived from them, so that a duplicate of the event stores nothing more.
    """
    event = flask.request.get_data() if flask.has_request_context() else b""
    _log.error("%s gave up: %s", by, failure)
    digest = hashlib.sha256(f"{by} {failure} ".encode() + event).hexdigest()[:32]
    clients.firestore().collection(DEAD_LETTERS).document(digest).set(
        {
            "stage": by,
            "reason": failure.reason,
            "message": str(failure),
            "event": event[:EVENT_BYTES_MAX],
            "at": firestore.SERVER_TIMESTAMP,
            **retention.deletion(),
            **throughline.trace_field(),
        }
    )
