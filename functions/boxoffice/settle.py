"""Settle: receives the card processor's signed webhook, which reports how a charge ended."""

from __future__ import annotations

import json
import logging

import flask
from firebase_functions import https_fn

import function_options
import throughline
from boxoffice import acquirer, giving_up, settlement, transactions
from boxoffice.failure import PermanentFailure

_log = logging.getLogger(__name__)


def echoed_metadata(request: flask.Request) -> object:
    """Return the metadata that we attached to the charge, after verifying the signature."""
    acquirer.verify(request)
    return acquirer.read_charge(request)["metadata"]


@https_fn.on_request(**function_options.SETTLE)
@throughline.on_webhook(echoed_metadata)
def settle(request: flask.Request) -> flask.Response:
    """Move the order to paid, declined or failed, or refund a payment that came too late.

    The processor sends the webhook again until it is answered with a 2xx, or with a 4xx: then the
    dead letter has the reason.
    """
    try:
        acquirer.verify(request)
        outcome = settlement.settle_order(acquirer.read_charge(request), by="settle")
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


def json_response(status: int, **body: object) -> flask.Response:
    """Return a JSON response."""
    return flask.Response(json.dumps(body), status, mimetype="application/json")
