"""What one stage has another do later: an order's id, in a task of Cloud Tasks."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from firebase_admin import functions
from firebase_admin.exceptions import FirebaseError
from google.auth.exceptions import GoogleAuthError

import throughline
from boxoffice.order import is_order_id

EXPIRE = "expire"

_log = logging.getLogger(__name__)


class UnreadableTask(Exception):
    """Raised for a task that names no order or no time; delivering it again won't help."""


def expire_at(order_id: str, due: datetime) -> None:
    """Have the expire function look at an order at `due`.

    A task that could not be enqueued is said in the log and on its span, and fails nobody: the
    order is as it should be, and the sweep expires the holds that no task expires.
    """
    data = {"order_id": order_id, "due": due.isoformat()}
    try:
        with throughline.enqueueing(EXPIRE) as headers:
            options = functions.TaskOptions(schedule_time=due.astimezone(UTC), headers=headers)
            functions.task_queue(EXPIRE).enqueue({"data": data}, options)
    except (FirebaseError, GoogleAuthError, ValueError) as error:
        _log.warning("No task will expire order %s: %s", order_id, type(error).__name__)


def order_and_due_in(data: Any) -> tuple[str, datetime]:
    """The order that a task is about, and when it was meant to run.

    Raises:
        UnreadableTask: it doesn't say.
    """
    order_id = data.get("order_id") if isinstance(data, dict) else None
    if not is_order_id(order_id):
        raise UnreadableTask("the task names no order")
    try:
        due = datetime.fromisoformat(data["due"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableTask(f"the task of order {order_id} has no time") from error
    if due.tzinfo is None:
        raise UnreadableTask(f"the task of order {order_id} has a time without a zone")
    return order_id, due
