"""The card processor, asked in its own words; it is not ours, and it is asked more than once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from opentelemetry import trace

import settings
import throughline


class AcquirerError(Exception):
    """The card processor did not do what it was asked; it may if asked again."""


class Refused(AcquirerError):
    """The card processor understood, and won't; asking again doesn't help."""


def ask(
    path: str, key: str, body: Callable[[Mapping[str, str]], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """POST to the processor under an idempotency key; returns its answer.

    `body` is given the trace context that goes out with the call, and may put it into what it says.

    Raises:
        Refused: the answer is a 4xx.
        AcquirerError: it can't be reached or fails, as often as it is tried.
    """
    url = f"{settings.acquirer_url()}{path}"
    problem = ""
    for attempt, pause in enumerate(pauses_seconds()):
        # Spread, so that those who failed together don't come back together.
        time.sleep(random.uniform(pause / 2, pause))  # noqa: S311
        if attempt:
            key = retry_key(key)
        with throughline.calling("POST", url) as call:
            try:
                response = requests.post(
                    url,
                    headers={**call.context, "Idempotency-Key": key},
                    json=body(call.context),
                    timeout=settings.acquirer_timeout_seconds(),
                )
            except requests.RequestException as error:
                trace.get_current_span().record_exception(error)
                problem = f"{type(error).__name__}"
                continue
            call.answered(response.status_code)
        if response.ok:
            answer: Mapping[str, Any] = response.json()
            return answer
        problem = f"status {response.status_code}"
        if response.status_code < 500 and response.status_code != 429:
            raise Refused(f"{url} refused {key}: {problem}")
    raise AcquirerError(f"{url} did not answer {key}: {problem}")


def pauses_seconds() -> tuple[float, ...]:
    """Return the pause before each try; there are as many tries as pauses.

    A processor that is down needs some rest, and the platform delivers the event again later.
    """
    return (0.0, 0.2, 0.4)


def retry_key(key: str) -> str:
    """Return the idempotency key for the next try: the same one.

    The processor answers a key that it knows with what it did the first time, so that trying again
    is safe.
    """
    return key


def refund(order_id: str, charge_id: str) -> str:
    """Give an order's money back, once however often it is asked; returns the refund's id.

    Raises what `ask` raises.
    """
    answer = ask("/refunds", f"refund-{order_id}", lambda _context: {"charge_id": charge_id})
    refund_id = str(answer["id"])
    trace.get_current_span().set_attribute("boxoffice.refund.id", refund_id)
    return refund_id
