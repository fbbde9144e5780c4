"""Sweep: finds orders that are stuck between two stages, and triggers the next stage again.

Messages get lost, the platform stops retrying an event, and a vendor's webhook may never arrive.
Every stage is idempotent, so triggering one that is only slow does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from firebase_functions import scheduler_fn
from google.cloud.firestore import FieldFilter
from opentelemetry import trace

import function_options
import settings
import throughline
from boxoffice import clients, facts, giving_up, ledger, queues, reserve, topics
from boxoffice.order import IN_PROGRESS, State

# The most orders that one sweep reads, oldest first. The next sweep goes on behind them, and begins
# with the oldest again after the newest, so that orders which stay stuck don't keep out the others.
ORDERS_MAX = 300
CURSOR = "sweeps/orders"

_log = logging.getLogger(__name__)


@scheduler_fn.on_schedule(schedule="every 1 minutes", **function_options.SWEEP)
@throughline.on_schedule
def sweep(_event: scheduler_fn.ScheduledEvent) -> None:
    """Resume every stuck order, each in its own trace; a failure does not stop the others."""
    now = datetime.now(UTC)
    resumed = failed = 0
    for order_id, order in stuck_orders(now - timedelta(seconds=settings.sweep_after_seconds())):
        try:
            with (
                throughline.rejoining(order, "resume order"),
                giving_up.on_permanent_failure(by="sweep"),
            ):
                resume(order_id, order, now)
            resumed += 1
        except Exception as error:  # noqa: BLE001  (the order's span has it, and the next sweep retries)
            failed += 1
            _log.warning("Order %s could not be resumed: %s", order_id, type(error).__name__)
    trace.get_current_span().set_attributes(facts.of_sweep(resumed, failed))


def stuck_orders(since: datetime) -> Iterator[tuple[str, ledger.Document]]:
    """Yield the id and document of each order that is unfinished and has not moved since `since`.

    The oldest order comes first, or the one after those that the last sweep read, if it could not
    read all.
    """
    cursor = clients.firestore().document(CURSOR)
    last = (cursor.get().to_dict() or {}).get("placed_at")
    unfinished = (
        clients.firestore()
        .collection(ledger.ORDERS)
        .where(filter=FieldFilter("state", "in", sorted(IN_PROGRESS)))
        .where(filter=FieldFilter("placed_at", "<", since))
        .order_by("placed_at")
        .limit(ORDERS_MAX)
    )
    page = (unfinished.start_after({"placed_at": last}) if last else unfinished).get()
    has_more = len(page) == ORDERS_MAX
    trace.get_current_span().set_attribute("boxoffice.sweep.has_more", has_more)
    # Before the orders are resumed: one that ends this sweep must not be the next one's first.
    if has_more:
        cursor.set({"placed_at": page[-1].get("placed_at")})
    elif last:
        cursor.delete()
    for snapshot in page:
        order = snapshot.to_dict() or {}
        if max([order["placed_at"], *order.get("moved_at", {}).values()]) < since:
            yield snapshot.id, order


def resume(order_id: str, order: ledger.Document, now: datetime) -> None:
    """Trigger the stage that the order waits for."""
    span = trace.get_current_span()
    span.set_attributes(
        {"boxoffice.order.id": order_id, **facts.of_order(order, State(order["state"]))}
    )
    _log.info("Order %s is stuck: it is %s", order_id, order["state"])
    ledger.check_form(order_id, State(order["state"]), order)
    match State(order["state"]):
        case State.PLACED:
            # The document's creation cannot be triggered again, so reserve's work is done here.
            reserve.reserve_order(order_id)
        case State.RESERVED | State.CHARGING if order["hold_until"] <= now:
            queues.schedule_expiry(order_id, order["hold_until"])
        case State.RESERVED | State.CHARGING:
            topics.publish(topics.ORDER_RESERVED, order_id)
        case State.PAID:
            topics.publish(topics.ORDER_PAID, order_id)
