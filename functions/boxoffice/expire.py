"""Expire: returns the seats of an order whose hold lapsed before it was paid."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from firebase_functions import https_fn, tasks_fn
from google.cloud import firestore
from opentelemetry import trace

import function_options
import throughline
from boxoffice import facts, giving_up, ledger, order_events, queues, transactions
from boxoffice.order import State

_log = logging.getLogger(__name__)


class HoldNotLapsed(Exception):
    """Raised inside the transaction while the order's hold still runs."""


@tasks_fn.on_task_dispatched(**function_options.EXPIRE)
@throughline.on_task
@giving_up.on_permanent_failure(by="expire")
def expire(task: https_fn.CallableRequest[Any]) -> None:
    """Expire the order, unless it moved on or its hold still runs.

    Cloud Tasks waits until the hold lapses; the emulator ignores the delay. A task that runs early
    is acknowledged and changes nothing, and the sweep enqueues another when the hold has lapsed.
    Failing the early task to have it retried would put an error into the trace of every purchase;
    the emulator would run a new task at once, in an endless loop.
    """
    order_id, due = queues.read_task(task.data)
    late = datetime.now(UTC) - due
    trace.get_current_span().set_attributes(
        {"boxoffice.order.id": order_id, "boxoffice.task.late_seconds": late.total_seconds()}
    )
    if late < timedelta(0):
        return acknowledge_early_task(order_id)
    return end_hold(order_id)


def end_hold(order_id: str) -> None:
    """Expire the order, if its hold has lapsed and its current state allows that."""
    try:
        outcome = ledger.move_order(order_id, State.EXPIRED, release_hold)
    except HoldNotLapsed:
        return acknowledge_early_task(order_id)
    return order_events.record(order_id, outcome, by="expire")


def release_hold(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
    """Return the order's seats to the show, if its hold has lapsed."""
    now = datetime.now(UTC)
    if now < order["hold_until"]:
        raise HoldNotLapsed
    transactions.note(facts.of_hold(order, ended_at=now))
    return ledger.Move(State.EXPIRED, writes=lambda tx: ledger.release_seats(tx, order))


def acknowledge_early_task(order_id: str) -> None:
    """Record on the span and in the log that the task ran before the hold lapsed."""
    trace.get_current_span().set_attributes(facts.skipped("early"))
    _log.info("The hold of order %s still runs; skipped", order_id)
