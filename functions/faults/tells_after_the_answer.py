"""tells-after-the-answer: answers the vendor at once, and does the rest when it thinks it can.

Vendors ask for quick answers to their webhooks. But the platform promises a CPU until the answer is
out, and no longer; the vendor heard that all went well, and will not ask again.
"""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable

import flask

_log = logging.getLogger(__name__)


def later(tell: Callable[[str, str], None], topic: str, order_id: str) -> None:
    """Have `tell` called, in the trace that is current now, once the answer is out."""
    current = contextvars.copy_context()
    _log.info("Order %s: %s is told after the answer", order_id, topic)

    @flask.after_this_request
    def put_off(answer: flask.Response) -> flask.Response:
        answer.call_on_close(lambda: current.run(tell, topic, order_id))
        return answer
