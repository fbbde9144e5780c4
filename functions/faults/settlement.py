"""Faults of boxoffice/settlement.py."""

from __future__ import annotations

import contextvars
import logging

import flask

from boxoffice import topics
from faults.fault import replaces

_log = logging.getLogger(__name__)


@replaces("boxoffice.settlement:announce_payment", flag="tells-after-the-answer", kind="instance")
def announce_payment(order_id: str) -> None:
    """Answers the vendor first, and tells the next stage after that.

    Vendors ask for quick answers to their webhooks. But the platform promises a CPU until the
    answer is out, and no longer; the vendor heard that all went well, and will not ask again.
    """
    current = contextvars.copy_context()
    _log.info("Order %s: %s is told after the answer", order_id, topics.ORDER_PAID)

    @flask.after_this_request
    def put_off(answer: flask.Response) -> flask.Response:
        answer.call_on_close(lambda: current.run(topics.tell, topics.ORDER_PAID, order_id))
        return answer


@replaces("boxoffice.settlement:return_late_money", flag="keeps-late-money", kind="vendor")
def return_late_money(order_id: str, charge_id: str) -> None:
    """Leaves the money where it is when it comes after the hold lapsed."""
