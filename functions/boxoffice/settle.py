"""Settle: takes the card processor's word, by its signed webhook, for whether the money came."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import flask
from firebase_functions import https_fn
from google.cloud import firestore
from opentelemetry import trace

import settings
import throughline
from boxoffice import acquirer, ledger, topics, trail
from boxoffice.order import State

SIGNATURE_HEADER = "Acquirer-Signature"
# For so long a recorded webhook can be replayed; it then does nothing, because the order moved on.
TOLERANCE_SECONDS = 300

_log = logging.getLogger(__name__)


class BadWebhook(Exception):
    """The webhook is genuine, but not about anything of ours."""


def echoed_metadata(request: flask.Request) -> object:
    """The metadata that we attached to the charge, if the processor really sent this."""
    verify(request)
    return charge_in(request)["metadata"]


@https_fn.on_request()
@throughline.on_webhook(echoed_metadata)
def settle(request: flask.Request) -> flask.Response:
    """Move the order to paid or declined, or give back what was paid for an expired one.

    Whatever is not answered with 200 is sent again.
    """
    try:
        verify(request)
        order_id, outcome = settle_order(charge_in(request))
    except throughline.Untrusted as why:
        _log.warning("A webhook was refused: %s", why)
        return answer(401, error=str(why))
    except (BadWebhook, ledger.UnknownOrder) as why:
        _log.warning("A webhook was not understood: %s", why)
        return answer(422, error=str(why))
    if outcome.state is State.PAID:
        topics.tell(topics.ORDER_PAID, order_id)
    trail.record(order_id, outcome, by="settle")
    if came_too_late(request, outcome):
        acquirer.refund(order_id, str(charge_in(request)["id"]))
    return answer(200, state=outcome.state, moved=outcome.moved)


def settle_order(charge: Mapping[str, Any]) -> tuple[str, ledger.Outcome]:
    """Move the order that `charge` paid for, or failed to; returns its id and where it is now."""
    order_id = charge["metadata"].get("order_id")
    if not isinstance(order_id, str) or not order_id or "/" in order_id:
        raise BadWebhook("the charge's metadata names no order")

    def paid(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        if (charge.get("amount_cents"), charge.get("currency")) != (
            order["amount_cents"],
            order["currency"],
        ):
            raise BadWebhook(f"the charge is not the one order {order_id} asked for")
        return ledger.Move(State.PAID, {"charge_id": str(charge.get("id"))})

    def declined(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        return ledger.Move(
            State.DECLINED,
            {
                "charge_id": str(charge.get("id")),
                "reason": str(charge.get("decline_code") or "card_declined"),
            },
            ledger.seats_back(order),
        )

    match charge.get("status"):
        case "succeeded":
            return order_id, ledger.advance(order_id, State.PAID, paid)
        case "declined":
            return order_id, ledger.advance(order_id, State.DECLINED, declined)
        case other:
            raise BadWebhook(f"the charge's status is {other!r}")


def came_too_late(request: flask.Request, outcome: ledger.Outcome) -> bool:
    """Whether money came for an order whose hold had lapsed: its seats are somebody else's now."""
    late = outcome.state is State.EXPIRED and charge_in(request)["status"] == "succeeded"
    if late:
        trace.get_current_span().set_attribute("boxoffice.payment.late", True)
        _log.warning("The money for an expired order came; it goes back")
    return late


def verify(request: flask.Request) -> None:
    """Check the processor's signature, `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`.

    Raises:
        throughline.Untrusted: it is missing, wrong or too old.
    """
    header = request.headers.get(SIGNATURE_HEADER, "")
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    sent_at, signature = parts.get("t", ""), parts.get("v1", "")
    if not sent_at.isascii() or not sent_at.isdigit() or not signature:
        raise throughline.Untrusted(f"no usable {SIGNATURE_HEADER} header")
    signed = sent_at.encode() + b"." + request.get_data()
    secret = settings.acquirer_webhook_secret().encode()
    expected = hmac.new(secret, signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise throughline.Untrusted("the signature is wrong")
    if abs(time.time() - int(sent_at)) > TOLERANCE_SECONDS:
        raise throughline.Untrusted("the signature is too old")


def charge_in(request: flask.Request) -> Mapping[str, Any]:
    """The charge that a webhook is about.

    Raises:
        BadWebhook: the body is not a charge event.
    """
    try:
        charge = json.loads(request.get_data())["data"]["charge"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadWebhook("the body is not a charge event") from error
    if not isinstance(charge, dict) or not isinstance(charge.get("metadata"), dict):
        raise BadWebhook("the charge has no metadata")
    return charge


def answer(status: int, **body: object) -> flask.Response:
    """A JSON response."""
    return flask.Response(json.dumps(body), status, mimetype="application/json")
