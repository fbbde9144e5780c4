"""Keeps readiness probes away from the functions.

The emulator, and a Cloud Run service with a readiness probe, request `GET /__/health` before they
send work. Functions Framework routes every path to the function, which would run needlessly and
leave a trace of a single span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flask

PATH = "/__/health"


def answer_health_probes(app: flask.Flask) -> None:
    """Make `app` answer `GET /__/health` with 200 without calling the function."""
    app_wsgi: Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]] = app.wsgi_app

    def answer_or_forward(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == PATH and environ.get("REQUEST_METHOD") == "GET":
            start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
            return [b"ok"]
        return app_wsgi(environ, start_response)

    app.wsgi_app = answer_or_forward  # type: ignore[method-assign]
