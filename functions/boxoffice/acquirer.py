"""The card processor, a third party: its HTTP service, with retries, and its signed webhooks.

Nothing else in boxoffice knows the processor's protocol.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import flask
import requests
from opentelemetry import trace

import settings
import throughline
from boxoffice.failure import PermanentFailure


class AcquirerError(Exception):
    """Raised where the card processor failed or could not be reached; trying later may work."""


class Refused(PermanentFailure):
    """Raised where the card processor refused the request; sending it again does not help."""

    reason = "refused_by_processor"


class BadWebhook(PermanentFailure):
    """Raised for a webhook that is signed but does not describe a charge."""

    reason = "unreadable_webhook"


SIGNATURE_HEADER = "Acquirer-Signature"
# A recorded webhook can be replayed for this long; that is harmless, because the order has moved.
TOLERANCE_SECONDS = 300

# Statuses of class 4xx that a later request may not get: a time-out, a request under the same key
# that is still in progress, one that came too early, and too many of them.
TRANSIENT_REFUSALS = frozenset({408, 409, 425, 429})

# The processor's error codes for the 409s that last.
LASTING_CONFLICTS = frozenset({"idempotency_key_reused", "not_refundable"})


def post(
    path: str, key: str, make_body: Callable[[Mapping[str, str]], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """POST to the processor under an idempotency key and return the JSON response.

    `make_body` receives the trace context of the attempt, a mapping of header names to values, and
    returns the request's body.

    Raises:
        Refused: the processor refused the request for good.
        AcquirerError: every attempt failed, in a way that may pass.
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
        body = read_json(response)
        if 200 <= response.status_code < 300 and "id" in body:
            return body
        failure = describe(response.status_code, body)
        if is_refusal(response.status_code, body):
            raise Refused(f"{url} refused the request with key {key}: {failure}")
    raise AcquirerError(f"{url} failed for the request with key {key}: {failure}")


def read_json(response: requests.Response) -> Mapping[str, Any]:
    """Return the response's JSON object; an empty one if the body is anything else."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def is_refusal(status_code: int, body: Mapping[str, Any]) -> bool:
    """Return whether a response refuses the request for good: a 4xx that time does not change."""
    if status_code == 409 and error_code(body) in LASTING_CONFLICTS:
        return True
    return 400 <= status_code < 500 and status_code not in TRANSIENT_REFUSALS


def error_code(body: Mapping[str, Any]) -> str:
    """Return the processor's code for the error; an empty string if the response has none."""
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and re.fullmatch("[a-z_]{1,64}", code) else ""


def describe(status_code: int, body: Mapping[str, Any]) -> str:
    """Return a failed response's status, and the processor's error code if there is one."""
    code = error_code(body)
    return f"status {status_code}, {code}" if code else f"status {status_code}"


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


def request_charge(
    order_id: str, key: str, *, amount_cents: int, currency: str, token: str
) -> Mapping[str, Any]:
    """Request a charge under an idempotency key, and return it as the processor describes it.

    The processor stores the order's id and the trace context with the charge, and returns them in
    its webhook. Raises what `post` raises.
    """
    return post(
        "/charges",
        key,
        lambda context: {
            "amount_cents": amount_cents,
            "currency": currency,
            "token": token,
            "webhook_url": settings.settle_url(),
            "metadata": {**context, "order_id": order_id},
        },
    )


def refund(order_id: str, charge_id: str) -> str:
    """Refund a charge and return the refund's id; calling this again refunds nothing more.

    Raises what `post` raises.
    """
    response = post("/refunds", f"refund-{order_id}", lambda _context: {"charge_id": charge_id})
    refund_id = str(response["id"])
    trace.get_current_span().set_attribute("boxoffice.refund.id", refund_id)
    return refund_id


def verify(request: flask.Request) -> None:
    """Verify the processor's signature, `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`.

    Raises:
        throughline.Untrusted: the signature is missing, wrong or too old.
    """
    header = request.headers.get(SIGNATURE_HEADER, "")
    fields = dict(pair.split("=", 1) for pair in header.split(",") if "=" in pair)
    sent_at, signature = fields.get("t", ""), fields.get("v1", "")
    if not re.fullmatch("[0-9]{1,12}", sent_at) or not signature:
        raise throughline.Untrusted(f"no usable {SIGNATURE_HEADER} header")
    signed = sent_at.encode() + b"." + request.get_data()
    secret = settings.acquirer_webhook_secret().encode()
    expected = hmac.new(secret, signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise throughline.Untrusted("the signature is wrong")
    if abs(time.time() - int(sent_at)) > TOLERANCE_SECONDS:
        raise throughline.Untrusted("the signature is too old")


def read_charge(request: flask.Request) -> Mapping[str, Any]:
    """Return the charge that a webhook describes.

    Raises:
        BadWebhook: the body is not a charge event.
    """
    try:
        charge = throughline.parse_json(request.get_data())["data"]["charge"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadWebhook("the body is not a charge event") from error
    if not isinstance(charge, dict) or not isinstance(charge.get("metadata"), dict):
        raise BadWebhook("the charge has no metadata")
    return charge
