"""A third party's card processor: one HTTP function with six routes.

It shares no code with Throughline. `opentelemetry-instrument` instruments it without code; the code
here adds only a span for the call to the card network, and source lines to every span.

    POST /tokens   exchange a card's number for a token; from a browser, from any origin
    POST /charges  start a charge under an Idempotency-Key; webhook_url is called when it has ended
    POST /refunds  refund a charge under an Idempotency-Key
    GET  /charges  list every charge, for the merchant's accounts
    GET  /usage    count the charge requests for each token, for the processor's bill
    GET  /health   tell whether the service is up

Deployed, it is a demonstration for a site that has no card processor yet: it takes no money, keeps
its charges in memory, and settles a charge before it answers, because the platform takes the CPU
away between requests. It calls webhooks of its own project alone, and does not list charges.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

import flask
import functions_framework
from opentelemetry import context, propagate, trace

import cards
import source_lines
import trace_context
import troubles
import webhook
from charges import Book, Charge, KeyReused, NotRefundable, new_charge_id

# Cloud Run sets K_SERVICE.
IS_DEPLOYED = bool(os.environ.get("K_SERVICE"))
SECRET = os.environ.get("ACQUIRER_WEBHOOK_SECRET") or "whsec_for_the_local_stack_only"
WEBHOOK_PATTERN = os.environ.get("ACQUIRER_WEBHOOK_PATTERN") or (
    rf"https://[a-z0-9-]+-{re.escape(os.environ.get('GCLOUD_PROJECT', ''))}\.cloudfunctions\.net/.+"
    if IS_DEPLOYED
    else "https?://.+"
)
DELAY_SECONDS = os.environ.get("ACQUIRER_DELAY_SECONDS") or "0.3-1.5"
MAX_CENTS = 99_999_999
INVALID_KEY = "The Idempotency-Key header must have 1 to 255 characters."

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "3600",
}

if IS_DEPLOYED and not os.environ.get("ACQUIRER_WEBHOOK_SECRET"):
    raise SystemExit("ACQUIRER_WEBHOOK_SECRET is not set: the default is public.")

source_lines.install()
trace_context.install()

_open_book_lock = threading.Lock()
Response = tuple[Any, int] | tuple[Any, int, dict[str, str]]


@functions_framework.http
def acquirer(request: flask.Request) -> Response:
    """Route one request."""
    span = trace.get_current_span()
    span.update_name(f"{request.method} {request.path}")
    span.set_attributes(source_lines.nearest())
    with _open_book_lock:
        book = open_book()
    match (request.method, request.path.rstrip("/")):
        case ("OPTIONS", "/tokens"):
            return "", 204, _CORS
        case ("POST", "/tokens"):
            return (*make_token(_json(request)), _CORS)
        case ("POST", "/charges"):
            return take_charge(book, _json(request), request.headers.get("Idempotency-Key", ""))
        case ("POST", "/refunds"):
            return refund_charge(book, _json(request), request.headers.get("Idempotency-Key", ""))
        case ("GET", "/charges") if not IS_DEPLOYED:
            return {"charges": [charge.public() for charge in book.all_charges()]}, 200
        case ("GET", "/usage") if not IS_DEPLOYED:
            return {"requests": troubles.usage()}, 200
        case ("GET", "/health"):
            return {"status": "ok"}, 200
    return _error("not_found", f"There is no {request.method} {request.path}."), 404


@cache
def open_book() -> Book:
    """Open this process's book and resume the charges that the previous process left unfinished.

    This is called at the first request, not on import: the server forks in between, and neither
    threads nor SQLite connections survive a fork.
    """
    path = os.environ.get("ACQUIRER_BOOK")
    book = Book(Path(path) if path else None)
    for charge in book.unfinished():
        settle(book, charge)
    return book


def make_token(body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return a token for the card's number in `body`."""
    try:
        token = cards.tokenise(body.get("number"))
    except cards.InvalidNumber as error:
        return _error("invalid_number", str(error)), 422
    return {"token": token.id, "brand": token.brand, "last4": token.last4}, 201


@troubles.of_processor
def take_charge(book: Book, body: dict[str, Any], key: str) -> tuple[dict[str, Any], int]:
    """Create the charge that `body` describes and settle it.

    A repeated idempotency key returns the first charge.
    """
    if message := _invalid_field(body, key):
        return _error("invalid_charge", message), 422
    request_context: dict[str, str] = {}
    propagate.inject(request_context)
    new_charge = Charge(
        id=new_charge_id(),
        idempotency_key=key,
        amount_cents=body["amount_cents"],
        currency=body["currency"],
        token=body["token"],
        webhook_url=body["webhook_url"],
        metadata=body.get("metadata") or {},
        request_context=request_context,
    )
    try:
        charge, is_new = book.open_charge(new_charge)
    except KeyReused as error:
        return _error("idempotency_key_reused", str(error)), 409
    if is_new:
        settle(book, charge)
    return charge.public(), 202


def refund_charge(book: Book, body: dict[str, Any], key: str) -> tuple[dict[str, Any], int]:
    """Refund the charge that `body` names; a repeated idempotency key returns the first refund."""
    charge_id = body.get("charge_id")
    if not key or len(key) > 255:
        return _error(
            "invalid_refund", "The Idempotency-Key header must have 1 to 255 characters."
        ), 422
    if not isinstance(charge_id, str):
        return _error("invalid_refund", "charge_id must be a charge's id."), 422
    try:
        charge = book.refund(charge_id, key)
    except LookupError:
        return _error("unknown_charge", f"There is no charge {charge_id}."), 404
    except KeyReused as error:
        return _error("idempotency_key_reused", str(error)), 409
    except NotRefundable as error:
        return _error("not_refundable", str(error)), 409
    return {"id": charge.refund_id, "charge_id": charge.id, "status": "refunded"}, 201


def settle(book: Book, charge: Charge) -> None:
    """Settle a charge in a thread, without delaying the request; deployed, settle it first."""
    if IS_DEPLOYED:
        settle_charge(book, charge)
    else:
        threading.Thread(target=settle_charge, args=(book, charge), daemon=True).start()


def settle_charge(book: Book, charge: Charge) -> None:
    """Ask the card's bank whether it accepts the charge, and deliver the webhook."""
    token = context.attach(propagate.extract(charge.request_context))
    try:
        if charge.status == "pending":
            with trace.get_tracer("acquirer").start_as_current_span("card network"):
                code = ask_bank(charge)
            charge = book.close_charge(charge.id, "declined" if code else "succeeded", code)
        webhook.deliver(charge, SECRET)
        book.mark_webhook_done(charge.id)
    finally:
        context.detach(token)


@troubles.of_bank
def ask_bank(charge: Charge) -> str | None:
    """Return the bank's decline code, or None if it accepts, after a realistic delay."""
    shortest, _, longest = DELAY_SECONDS.partition("-")
    time.sleep(random.uniform(float(shortest), float(longest or shortest)))  # noqa: S311
    return cards.decline_code_of(cards.outcome_of(charge.token))


def _invalid_field(body: dict[str, Any], key: str) -> str | None:
    metadata = body.get("metadata") or {}
    cents = body.get("amount_cents")
    if not key or len(key) > 255:
        return INVALID_KEY
    if not isinstance(cents, int) or isinstance(cents, bool) or not 0 < cents <= MAX_CENTS:
        return f"amount_cents must be a whole number from 1 to {MAX_CENTS}."
    if body.get("currency") not in ("EUR", "GBP", "USD"):
        return "currency must be EUR, GBP or USD."
    if cards.outcome_of(body.get("token")) is None:
        return "token must be a token from POST /tokens."
    if not re.fullmatch(WEBHOOK_PATTERN, str(body.get("webhook_url", ""))):
        return "webhook_url must be an http or https address; deployed, one of the same project."
    if not isinstance(metadata, dict) or len(metadata) > 20:
        return "metadata must be an object with at most 20 entries."
    if not all(isinstance(value, str) and len(value) <= 8192 for value in metadata.values()):
        return "metadata's values must be strings of at most 8192 characters."
    return None


def _json(request: flask.Request) -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
