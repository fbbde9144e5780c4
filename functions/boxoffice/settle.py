"""Settle: receives the card processor's signed webhook, which reports how a charge ended."""

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

import function_options
import settings
import throughline
from boxoffice import giving_up, settlement, transactions
from boxoffice.failure import PermanentFailure

SIGNATURE_HEADER = "Acquirer-Signature"
# A recorded webhook can be replayed for this long; that is harmless, because the order has moved.
TOLERANCE_SECONDS = 300

_log = logging.getLogger(__name__)


class BadWebhook(PermanentFailure):
    """Raised for a webhook that is signed but does not describe a charge."""

    reason = "unreadable_webhook"


def echoed_metadata(request: flask.Request) -> object:
    """Return the metadata that we attached to the charge, after verifying the signature."""
    verify(request)
    return read_charge(request)["metadata"]


@https_fn.on_request(**function_options.SETTLE)
@throughline.on_webhook(echoed_metadata)
def settle(request: flask.Request) -> flask.Response:
    """Move the order to paid, declined or failed, or refund a payment that came too late.

    The processor sends the webhook again until it is answered with a 2xx, or with a 4xx: then the
    dead letter has the reason.
    """
    try:
        verify(request)
        outcome = settlement.settle_order(read_charge(request), by="settle")
    except throughline.Untrusted as error:
        _log.warning("A webhook was refused: %s", error)
        return json_response(401, error=str(error))
    except PermanentFailure as failure:
        giving_up.give_up(failure, by="settle")
        return json_response(422, error=str(failure))
    except transactions.Contended as error:
        _log.warning("A webhook could not be applied yet: %s", error)
        return json_response(503, error=str(error))
    return json_response(200, state=outcome.state, moved=outcome.moved)


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


def json_response(status: int, **body: object) -> flask.Response:
    """Return a JSON response."""
    return flask.Response(json.dumps(body), status, mimetype="application/json")
