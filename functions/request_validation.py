"""Validates the JSON bodies of requests before a function or the Firebase SDK reads them.

The SDK answers 500 to a callable request whose body is not JSON, or is JSON that Python cannot
parse. It does so before our decorators run. Flask lets an app choose its JSON parser and its
request class, and both the SDK and plain HTTPS functions read bodies through them.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import flask
from firebase_functions.https_fn import FunctionsErrorCode, HttpsError
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest

import throughline


def refuse(reason: str) -> NoReturn:
    """Answer the request with 400 and the reason.

    Raises:
        HttpsError: a callable is being served; the SDK answers with the protocol's error object.
        BadRequest: any other function is being served; Flask answers with {"error": reason}.
    """
    if _is_callable_served():
        raise HttpsError(FunctionsErrorCode.INVALID_ARGUMENT, reason)
    body = json.dumps({"error": reason})
    raise BadRequest(reason, flask.Response(body, 400, mimetype="application/json"))


class StrictJson(DefaultJSONProvider):
    """Flask's JSON provider, with `throughline.parse_json` as its parser."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """Return the value of a JSON text.

        Raises:
            throughline.InvalidJson: the text is not usable. This is a ValueError, as Flask expects.
        """
        return throughline.parse_json(s.encode() if isinstance(s, str) else s)


class ValidatedRequest(flask.Request):
    """A request that is refused, with a reason, if its JSON body is not usable.

    The body of a callable must be an object with the key `data` and no other: the SDK fails on a
    body that is not an object, and logs the values of other keys.
    """

    def on_json_loading_failed(self, error: ValueError | None) -> NoReturn:
        """Refuse the body; `error` is None if the Content-Type is not JSON."""
        refuse(str(error) if error else "The Content-Type is not application/json.")

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the parsed body, or None if it is not usable and `silent` is true.

        Raises what `refuse` raises if `silent` is false.
        """
        value = super().get_json(force, silent, cache)
        is_call = isinstance(value, dict) and set(value) == {"data"}
        if not is_call and not silent and _is_callable_served():
            refuse('The body must be a JSON object with the key "data" and no other.')
        return value


def install() -> None:
    """Validate the requests of the function that is being served.

    Does nothing outside a server: the CLI also imports main.py, to discover what it deploys.
    """
    if flask.has_app_context() and not flask.has_request_context():
        app = flask.current_app._get_current_object()  # type: ignore[attr-defined]
        app.json = StrictJson(app)
        app.request_class = ValidatedRequest


def _is_callable_served() -> bool:
    """Return whether the SDK's decorator declared the served function to be a callable."""
    served = flask.current_app.view_functions.get("run")
    endpoint = getattr(served, "__firebase_endpoint__", None)
    return getattr(endpoint, "callableTrigger", None) is not None
