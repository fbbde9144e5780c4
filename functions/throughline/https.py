"""Hops 1, 2 and 3: context crosses HTTPS in headers, to plain functions and to callable ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
        )

    return traced(function, receive)


def on_call(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.https_fn.on_call` calls.

    Apply it directly above `def`, because the SDK turns exceptions into responses. The span's
    parent is the context in the HTTP request's headers. An `HttpsError` with a 4xx code is recorded
    as a refusal, not as an error of the function. If the caller's token has the claim of
    `user_claim()`, the span that created the caller is linked.
    """
    return traced(function, _receive_call)


def _receive_call(call: Any) -> Reception:
    return Reception(
        arrival=http_request.read(http_request.received()),
        hop="callable",
        carried_in="http-headers",
        kind=SpanKind.SERVER,
        attributes={
            **http_request.attributes(call.raw_request),
            **token.attributes(call.auth.token if call.auth else None),
        },
        answered=_note_success,
        refused=_note_refusal,
        links=claim.links(call.auth.token if call.auth else None),
    )


def _note_success(span: Span, _result: object) -> None:
    http_request.note_status(span, 200)


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
