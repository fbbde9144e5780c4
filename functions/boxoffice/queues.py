"""Tasks in Cloud Tasks: each names an order and the time when it is due."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from firebase_admin import functions
from firebase_admin.exceptions import FirebaseError
from google.auth.exceptions import GoogleAuthError

import settings
import throughline
from boxoffice.failure import PermanentFailure
from boxoffice.order import is_order_id

EXPIRE = "expire"

_log = logging.getLogger(__name__)


class UnreadableTask(PermanentFailure):
    """Raised for a task without a usable order id or due time."""

    reason = "unreadable_task"


def schedule_expiry(order_id: str, due: datetime) -> None:
    """Enqueue a task that runs the expire function for an order at `due`.

    A failure to enqueue is logged and recorded on the span, and does not fail the caller: the
    sweep enqueues the task again for a hold that has lapsed.
    """
    data = {"order_id": order_id, "due": due.isoformat()}
    try:
        with throughline.enqueueing(EXPIRE) as headers:
            options = functions.TaskOptions(schedule_time=due.astimezone(UTC), headers=headers)
            queue = f"locations/{settings.region()}/functions/{EXPIRE}"
            functions.task_queue(queue).enqueue({"data": data}, options)
    except (FirebaseError, GoogleAuthError, ValueError) as error:
        _log.warning("Could not enqueue the expiry of order %s: %s", order_id, type(error).__name__)


def read_task(data: Any) -> tuple[str, datetime]:
    """Return the order's id and the due time from a task's data.

    Raises:
        UnreadableTask: one of them is missing or malformed, or the time has no time zone.
    """
    order_id = data.get("order_id") if isinstance(data, dict) else None
    if not is_order_id(order_id):
        raise UnreadableTask("the task has no usable order_id")
    try:
        due = datetime.fromisoformat(data["due"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableTask(f"the task of order {order_id} has no usable due time") from error
    if due.tzinfo is None:
        raise UnreadableTask(f"the task of order {order_id} has a due time without a time zone")
    return order_id, due
