"""Client of the card processor, a third party's HTTP service, with retries."""

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
    """Raised where the card processor failed or could not be reached; trying later may work."""


class Refused(AcquirerError):
    """Raised where the card processor refused the request; sending it again does not help."""


def post(
    path: str, key: str, make_body: Callable[[Mapping[str, str]], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """POST to the processor under an idempotency key and return the JSON response.

    `make_body` receives the trace context of the attempt, a mapping of header names to values, and
    returns the request's body.

    Raises:
        Refused: the response's status is a 4xx other than 429.
        AcquirerError: every attempt failed.
    """
    url = f"{settings.acquirer_url()}{path}"
    failure = ""
    for attempt, pause in enumerate(pauses_seconds()):
        # Jitter: requests that failed together must not be retried together.
        time.sleep(random.uniform(pause / 2, pause))  # noqa: S311
        if attempt:
            key = retry_key(key)
        with throughline.calling("POST", url) as call:
            try:
                response = requests.post(
                    url,
                    headers={**call.context, "Idempotency-Key": key},
                    json=make_body(call.context),
                    timeout=settings.acquirer_timeout_seconds(),
                )
            except requests.RequestException as error:
                trace.get_current_span().record_exception(error)
                failure = type(error).__name__
                continue
            call.answered(response.status_code)
        if response.ok:
            body: Mapping[str, Any] = response.json()
            return body
        failure = f"status {response.status_code}"
        if response.status_code < 500 and response.status_code != 429:
            raise Refused(f"{url} refused the request with key {key}: {failure}")
    raise AcquirerError(f"{url} failed for the request with key {key}: {failure}")


def pauses_seconds() -> tuple[float, ...]:
    """Return the pause before each attempt; their number is the number of attempts.

    There are few: a processor that is down needs time, and the platform delivers the event again
    later.
    """
    return (0.0, 0.2, 0.4)


def retry_key(key: str) -> str:
    """Return the idempotency key for the next attempt: the same one.

    The processor answers a key that it knows with its first response, so a retry cannot charge or
    refund twice.
    """
    return key


def refund(order_id: str, charge_id: str) -> str:
    """Refund a charge and return the refund's id; calling this again refunds nothing more.

    Raises what `post` raises.
    """
    response = post("/refunds", f"refund-{order_id}", lambda _context: {"charge_id": charge_id})
    refund_id = str(response["id"])
    trace.get_current_span().set_attribute("boxoffice.refund.id", refund_id)
    return refund_id
