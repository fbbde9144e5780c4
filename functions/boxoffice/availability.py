"""Availability: how many seats of a show are left, for clients that cannot listen to the show."""

from __future__ import annotations

import json

import flask
from firebase_functions import https_fn
from opentelemetry import trace

import function_options
import throughline
from boxoffice import facts, ledger, shows


@https_fn.on_request(**function_options.AVAILABILITY)
@throughline.on_request
def availability(request: flask.Request) -> flask.Response:
    """Answer GET ?show_id=… with {"show_id", "seats_left"}; errors are {"error"} with 400, 404 or
    405."""
    if request.method not in ("GET", "HEAD"):
        return json_response(405, error="The method must be GET.")
    try:
        show = shows.read(request.args.get("show_id"))
    except shows.InvalidShowId as error:
        return json_response(400, error=str(error))
    except shows.UnknownShow as error:
        return json_response(404, error=str(error))
    answer = {"show_id": show["id"], "seats_left": seats_left(show)}
    trace.get_current_span().set_attributes(facts.of_quote(answer, show["read_at"]))
    return json_response(200, **answer)


def seats_left(show: ledger.Document) -> int:
    """Return how many seats are left, as every sale and refund keeps it in the show's document."""
    seats: int = show["seats_left"]
    return seats


def json_response(status: int, **body: object) -> flask.Response:
    """Return a JSON response that Hosting's CDN must not cache."""
    headers = {"Cache-Control": "no-store", **({"Allow": "GET, HEAD"} if status == 405 else {})}
    return flask.Response(json.dumps(body), status, headers, mimetype="application/json")
