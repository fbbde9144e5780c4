"""The card processor, asked in its own words; it is not ours, and it is asked more than once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests
from opentelemetry import trace

import settings
import throughline

# The processor answers a repeated key with what it did the first time, so trying again is safe.
ATTEMPTS = 3


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
        AcquirerError: it can't be reached or fails, three times over.
    """
    url = f"{settings.acquirer_url()}{path}"
    problem = ""
    for _ in range(ATTEMPTS):
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
