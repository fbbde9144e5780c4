"""Hops 1, 2 and 3: context crosses HTTPS in headers, to plain functions and to callable ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import flask
from opentelemetry.trace import Span, SpanKind

from throughline import claim, http_request, token
from throughline.invocation import Reception, Returned, traced

# The HTTP statuses of the callable protocol's error codes, except those that mean 500.
_CALLABLE_STATUSES = {
    "ok": 200,
    "cancelled": 499,
    "invalid-argument": 400,
    "failed-precondition": 400,
    "out-of-range": 400,
    "unauthenticated": 401,
    "permission-denied": 403,
    "not-found": 404,
    "aborted": 409,
    "already-exists": 409,
    "resource-exhausted": 429,
    "unimplemented": 501,
    "unavailable": 503,
    "deadline-exceeded": 504,
}


def on_request(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.https_fn.on_request` calls with a request.

    Apply it directly above `def`. The span's parent is the context in the request's headers. A
    request that came through a rewrite of Firebase Hosting is the hop "hosting", any other is
    "https".
    """

    def receive(request: Any) -> Reception:
        headers = http_request.received()
        # Hosting calls the function under its own host name, and forwards the page's here.
        forwarded_host = headers.get("x-forwarded-host", "")
        through_hosting = forwarded_host not in ("", headers.get("host"))
        return Reception(
            arrival=http_request.read(headers),
            hop="hosting" if through_hosting else "https",
            carried_in="http-headers",
            kind=SpanKind.SERVER,
            attributes=http_request.attributes(request),
            answered=http_request.note_response,
            refused=http_request.note_refusal,
        )

    return traced(function, receive)


def on_call(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.https_fn.on_call` calls.

    Apply it directly above `def`, because the SDK turns exceptions into responses. The span's
    parent is the context in the HTTP request's headers. An `HttpsError` with a 4xx code is recorded
    as a refusal, not as an error of the function. So is a request that the SDK refuses without
    calling the function, such as one with an invalid token. If the caller's token has the claim of
    `user_claim()`, the span that created the caller is linked.
    """
    # Functions Framework imports main.py within the app that will serve the function.
    if flask.has_app_context() and not flask.has_request_context():
        _trace_refusals(flask.current_app, function)
    return traced(function, _receive_call)


def _trace_refusals(app: flask.Flask, function: Callable[[Any], Any]) -> None:
    """Create a span for each request that the SDK refuses without calling the function."""
    if app.name != function.__name__:  # Another function of main.py is served.
        return

    @functools.wraps(function)
    def refuse(call: Any) -> flask.Response:
        response: flask.Response = call.response
        return response

    def after(response: flask.Response) -> flask.Response:
        if response.status_code >= 400 and not flask.g.get(_RECEIVED):
            receive = functools.partial(_receive_call, answered=_note_refused_response)
            traced(refuse, receive)(
                SimpleNamespace(raw_request=flask.request, auth=None, response=response)
            )
        return response

    app.after_request(after)


# The attribute of `flask.g` that is set once the SDK has called the function.
_RECEIVED = "is_call_received"


def _receive_call(call: Any, answered: Callable[[Span, Any], None] | None = None) -> Reception:
    if flask.has_request_context():
        flask.g.setdefault(_RECEIVED, True)
    return Reception(
        arrival=http_request.read(http_request.received()),
        hop="callable",
        carried_in="http-headers",
        kind=SpanKind.SERVER,
        attributes={
            **http_request.attributes(call.raw_request),
            **token.attributes(call.auth.token if call.auth else None),
        },
        answered=answered or _note_success,
        refused=_note_refusal,
        links=claim.links(call.auth.token if call.auth else None),
    )


def _note_success(span: Span, _result: object) -> None:
    http_request.note_status(span, 200)


def _note_refused_response(span: Span, response: flask.Response) -> None:
    """Note the status, and the callable protocol's error object if the body is one."""
    http_request.note_status(span, response.status_code)
    body = response.get_json(silent=True)
    error = body.get("error") if isinstance(body, dict) else None
    if response.status_code < 500 and isinstance(error, dict):
        code = str(error.get("status", "")).lower().replace("_", "-")
        span.set_attribute("error.type", code)
        span.add_event("refused", {"code": code, "message": str(error.get("message", ""))})


def _note_refusal(span: Span, error: Exception) -> bool:
    """Return whether `error` is an HttpsError with a 4xx code, and note it on the span."""
    code = str(getattr(getattr(error, "code", None), "value", ""))
    status_code = _CALLABLE_STATUSES.get(code, 500)
    http_request.note_status(span, status_code)
    if status_code >= 500:
        return False
    span.set_attribute("error.type", code)
    span.add_event("refused", {"code": code, "message": str(getattr(error, "message", ""))})
    return True
