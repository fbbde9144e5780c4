"""JSON bodies of requests, checked before any function or the SDK reads them.

The SDK answers 500 to a callable whose body is not JSON, or is JSON that Python cannot parse: any
client can make it do so, before a decorator of ours runs. Flask lets an app choose its JSON parser
and the class of its requests, and the SDK as well as plain HTTPS functions read bodies with them.
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
    """Have the request answered with 400 and the reason.

    Raises:
        HttpsError: a callable is served; the SDK makes the protocol's error object of it.
        BadRequest: another function is; Flask answers with {"error": reason}.
    """
    if _is_callable_served():
        raise HttpsError(FunctionsErrorCode.INVALID_ARGUMENT, reason)
    body = json.dumps({"error": reason})
    raise BadRequest(reason, flask.Response(body, 400, mimetype="application/json"))


class StrictJson(DefaultJSONProvider):
    """Parses what clients send with `throughline.parse_json`."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """Return the parsed text.

        Raises:
            throughline.InvalidJson: it cannot be used; a ValueError, as Flask expects.
        """
        return throughline.parse_json(s.encode() if isinstance(s, str) else s)


class ValidatedRequest(flask.Request):
    """A request whose JSON body is refused with a reason where it cannot be used.

    A callable's has to be an object with `data` and nothing else: the SDK fails on one that is not
    an object, and logs the values of other keys.
    """

    def on_json_loading_failed(self, error: ValueError | None) -> NoReturn:
        """Refuse the body: `error` says why, and is None where it is not declared to be JSON."""
        refuse(str(error) if error else "The Content-Type is not application/json.")

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the parsed body, or None where it cannot be parsed and `silent` is true.

        Raises what `refuse` raises where `silent` is false.
        """
        value = super().get_json(force, silent, cache)
        is_call = isinstance(value, dict) and set(value) == {"data"}
        if not is_call and not silent and _is_callable_served():
            refuse('The body must be a JSON object with the key "data" and no other.')
        return value


def install() -> None:
    """Validate the requests of the function that is being served.

    Does nothing where none is: the CLI imports main.py too, to discover what it deploys.
    """
    if flask.has_app_context() and not flask.has_request_context():
        app = flask.current_app._get_current_object()  # type: ignore[attr-defined]
        app.json = StrictJson(app)
        app.request_class = ValidatedRequest


def _is_callable_served() -> bool:
    """Return whether the served function is a callable, as the SDK's decorator declared it."""
    served = flask.current_app.view_functions.get("run")
    endpoint = getattr(served, "__firebase_endpoint__", None)
    return getattr(endpoint, "callableTrigger", None) is not None
