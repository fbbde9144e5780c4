"""The card processor, asked in its own words; it is not ours, and it is asked more than once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from opentelemetry import trace

import faults
import settings
import throughline

# Before each try. The processor answers a repeated key with what it did the first time, so trying
# again is safe; one that is down needs some rest, and who calls us tries again later as well.
PAUSES_SECONDS = (0.0, 0.2, 0.4)


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
    hammering = faults.on("hammers-the-vendor")
    pauses = faults.hammers_the_vendor.PAUSES_SECONDS if hammering else PAUSES_SECONDS
    for attempt, pause in enumerate(pauses):
        # Spread, so that those who failed together don't come back together.
        time.sleep(random.uniform(pause / 2, pause))  # noqa: S311
        if attempt and faults.on("new-key-each-try"):
            key = faults.new_key_each_try.key(key, attempt)
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


def refund(order_id: str, charge_id: str) -> str:
    """Give an order's money back, once however often it is asked; returns the refund's id.

    Raises what `ask` raises.
    """
    answer = ask("/refunds", f"refund-{order_id}", lambda _context: {"charge_id": charge_id})
    refund_id = str(answer["id"])
    trace.get_current_span().set_attribute("boxoffice.refund.id", refund_id)
    return refund_id
