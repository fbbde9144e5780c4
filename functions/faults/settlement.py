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
    """Answers the vendor's webhook first, and publishes the payment after the response.

    Vendors want quick answers to their webhooks. But the platform allocates CPU only until the
    response is sent; the vendor has its 200 and will not send the webhook again.
    """
    context = contextvars.copy_context()
    _log.info("Order %s: %s will be published after the response", order_id, topics.ORDER_PAID)

    @flask.after_this_request
    def publish_on_close(response: flask.Response) -> flask.Response:
        response.call_on_close(lambda: context.run(topics.publish, topics.ORDER_PAID, order_id))
        return response


@replaces("boxoffice.settlement:refund_late_payment", flag="keeps-late-money", kind="vendor")
def refund_late_payment(order_id: str, charge_id: str) -> None:
    """Keeps a payment that arrives after the hold lapsed, instead of refunding it."""
