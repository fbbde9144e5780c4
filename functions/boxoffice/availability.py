"""Availability: how many seats of a show are left, for whoever can't listen to the show itself."""

from __future__ import annotations

import json

import flask
from firebase_functions import https_fn

import throughline
from boxoffice import ledger, shows


@https_fn.on_request()
@throughline.on_request
def availability(request: flask.Request) -> flask.Response:
    """GET ?show_id=… answers {"show_id", "seats_left"}; 400, 404 and 405 answer {"error"}."""
    if request.method not in ("GET", "HEAD"):
        return answer(405, error="Only GET is answered here.")
    try:
        show = shows.read(request.args.get("show_id"))
    except shows.NoShowId as why:
        return answer(400, error=str(why))
    except shows.UnknownShow as why:
        return answer(404, error=str(why))
    return answer(200, show_id=show["id"], seats_left=seats_left(show))


def seats_left(show: ledger.Document) -> int:
    """Return how many seats are left: the stages that change the number keep it with the show."""
    seats: int = show["seats_left"]
    return seats


def answer(status: int, **body: object) -> flask.Response:
    """A JSON response that nobody keeps: Hosting's CDN would, for as long as we let it."""
    headers = {"Cache-Control": "no-store", **({"Allow": "GET, HEAD"} if status == 405 else {})}
    return flask.Response(json.dumps(body), status, headers, mimetype="application/json")
