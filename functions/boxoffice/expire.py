"""Expire: gives back the seats of an order whose hold ran out before the money came."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from firebase_functions import https_fn, options, tasks_fn
from google.cloud import firestore
from opentelemetry import trace

import throughline
from boxoffice import ledger, order_events, queues
from boxoffice.order import State

_log = logging.getLogger(__name__)


class NotDue(Exception):
    """Raised inside the transaction where the hold still runs."""


@tasks_fn.on_task_dispatched(
    retry_config=options.RetryConfig(max_attempts=5, min_backoff_seconds=5),
    # Nobody waits for a hold to lapse; those who buy shall not wait because many do at once.
    rate_limits=options.RateLimits(max_concurrent_dispatches=2),
)
@throughline.on_task
def expire(task: https_fn.CallableRequest[Any]) -> None:
    """Expire the order, unless it moved on or its hold still runs.

    Cloud Tasks waits until the hold lapses; the emulator ignores the delay. A task that comes early
    is acknowledged and changes nothing, and the sweep has the order expired when it is due. Failing
    it so that the queue tries again would put an error into the trace of every purchase, and
    enqueueing it anew would come back at once, again and again.
    """
    order_id, due = queues.order_and_due_in(task.data)
    span, late = trace.get_current_span(), datetime.now(UTC) - due
    span.set_attribute("boxoffice.order.id", order_id)
    if late < timedelta(0):
        return leave(order_id)
    span.set_attribute("boxoffice.task.late_seconds", late.total_seconds())
    return end_hold(order_id)


def end_hold(order_id: str) -> None:
    """Expire the order, if its hold has lapsed and expiring is a legal move by now."""
    try:
        outcome = ledger.advance(order_id, State.EXPIRED, give_back)
    except NotDue:
        return leave(order_id)
    return order_events.record(order_id, outcome, by="expire")


def give_back(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
    """Put the order's seats back into the show's stock, if its hold has lapsed."""
    if datetime.now(UTC) < order["hold_until"]:
        raise NotDue
    return ledger.Move(State.EXPIRED, writes=ledger.seats_back(order))


def leave(order_id: str) -> None:
    """Say that the task came too early."""
    trace.get_current_span().set_attribute("boxoffice.nothing_to_do", "early")
    _log.info("The hold of order %s still runs; nothing to do", order_id)
