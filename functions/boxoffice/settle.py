"""Settle: takes the card processor's word, by its signed webhook, for whether the money came."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any

import flask
from firebase_functions import https_fn

import settings
import throughline
from boxoffice import ledger, settlement

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
        outcome = settlement.settle_order(charge_in(request), by="settle")
    except throughline.Untrusted as why:
        _log.warning("A webhook was refused: %s", why)
        return answer(401, error=str(why))
    except (BadWebhook, settlement.NotOurs, ledger.UnknownOrder) as why:
        _log.warning("A webhook was not understood: %s", why)
        return answer(422, error=str(why))
    return answer(200, state=outcome.state, moved=outcome.moved)


def verify(request: flask.Request) -> None:
    """Check the processor's signature, `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`.

    Raises:
        throughline.Untrusted: it is missing, wrong or too old.
    """
    header = request.headers.get(SIGNATURE_HEADER, "")
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    sent_at, signature = parts.get("t", ""), parts.get("v1", "")
    if not re.fullmatch("[0-9]{1,12}", sent_at) or not signature:
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
        charge = throughline.parse_json(request.get_data())["data"]["charge"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadWebhook("the body is not a charge event") from error
    if not isinstance(charge, dict) or not isinstance(charge.get("metadata"), dict):
        raise BadWebhook("the charge has no metadata")
    return charge


def answer(status: int, **body: object) -> flask.Response:
    """A JSON response."""
    return flask.Response(json.dumps(body), status, mimetype="application/json")
