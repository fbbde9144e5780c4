"""Sweep: finds orders that got stuck between two stages, and tells the right stage again.

Messages get lost, deliveries give up, vendors forget to call back. Each stage is idempotent, so
telling one that is only slow does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from firebase_functions import scheduler_fn
from google.cloud.firestore import FieldFilter
from opentelemetry import trace

import settings
import throughline
from boxoffice import clients, ledger, queues, reserve, topics
from boxoffice.order import UNDERWAY, State

# So many are looked at in one sweep; the oldest come first, the others come in the next one.
ORDERS_MAX = 300

_log = logging.getLogger(__name__)


@scheduler_fn.on_schedule(schedule="every 1 minutes", max_instances=1, timeout_sec=120)
@throughline.on_schedule
def sweep(_event: scheduler_fn.ScheduledEvent) -> None:
    """Mend every stuck order, each in its own trace; one that can't be mended stops no other."""
    now = datetime.now(UTC)
    mended = 0
    for order_id, order in stuck_orders(now - timedelta(seconds=settings.sweep_after_seconds())):
        try:
            with throughline.rejoining(order, "mend order"):
                mend(order_id, order, now)
            mended += 1
        except Exception as error:  # noqa: BLE001  (it is on the order's span, and the next sweep tries)
            _log.warning("Order %s could not be mended: %s", order_id, type(error).__name__)
    trace.get_current_span().set_attribute("boxoffice.sweep.orders", mended)


def stuck_orders(since: datetime) -> Iterator[tuple[str, ledger.Document]]:
    """The orders underway that have not moved since then, the oldest first."""
    underway = (
        clients.firestore()
        .collection(ledger.ORDERS)
        .where(filter=FieldFilter("state", "in", sorted(UNDERWAY)))
        .where(filter=FieldFilter("placed_at", "<", since))
        .order_by("placed_at")
        .limit(ORDERS_MAX)
    )
    for snapshot in underway.get():
        order = snapshot.to_dict() or {}
        if max([order["placed_at"], *order.get("moved_at", {}).values()]) < since:
            yield snapshot.id, order


def mend(order_id: str, order: ledger.Document, now: datetime) -> None:
    """Tell the stage that the order waits for."""
    span = trace.get_current_span()
    span.set_attribute("boxoffice.order.id", order_id)
    span.set_attribute("boxoffice.order.state", order["state"])
    _log.info("Order %s is stuck: it is %s", order_id, order["state"])
    match State(order["state"]):
        case State.PLACED:
            # Nobody can have a document created again, so its trigger's work is done here.
            reserve.hold(order_id)
        case State.RESERVED | State.CHARGING if order["hold_until"] <= now:
            queues.expire_at(order_id, order["hold_until"])
        case State.RESERVED | State.CHARGING:
            topics.tell(topics.ORDER_RESERVED, order_id)
        case State.PAID:
            topics.tell(topics.ORDER_PAID, order_id)
