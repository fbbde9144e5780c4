"""Trace context in an HTTP request's headers, and the request's attributes on its span."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import flask
from opentelemetry.trace import Span, SpanContext, Status, StatusCode
from opentelemetry.util.types import AttributeValue
from werkzeug.exceptions import HTTPException

from throughline import carrier
from throughline.carrier import COPY

_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
# A word of a route, such as `show-times` or `v1`; nothing that is mostly digits.
_SEGMENT = re.compile(r"(?:[a-z][a-z_-]*[0-9]{0,2})?")
# As the platform and the emulator make them; a client may send the header too.
_EXECUTION_ID = re.compile(r"(?=.*[a-z])[a-z0-9-]{1,36}")


def received() -> dict[str, str]:
    """Return the current HTTP request's headers by lowercase name; empty outside a request.

    Event functions need it too: the Firebase SDK drops a CloudEvent's extensions, but the HTTP
    request that delivered the event is at hand while the function runs.
    """
    return combined(flask.request.headers.items()) if flask.has_request_context() else {}


def combined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by lowercase name, repeated ones joined by commas (RFC 9110, section 5.3).

    So a tracestate in several headers is one list, and a repeated traceparent is malformed.
    """
    by_name: dict[str, str] = {}
    for name, value in headers:
        name, value = name.lower(), value.strip(" \t")  # noqa: PLW2901
        by_name[name] = f"{by_name[name]},{value}" if name in by_name else value
    return by_name


def read(headers: Mapping[str, str]) -> carrier.Arrival:
    """Read the context out of headers as `combined` makes them; the copy wins over traceparent."""
    copied = _read_from(COPY, headers) if COPY in headers else carrier.ABSENT
    if copied.state == "carried":
        return copied
    own = carrier.read(headers)
    return copied if own.state == "absent" else own


def from_platform() -> SpanContext | None:
    """Return the span context in the current HTTP request's `traceparent`, or None.

    In production it is the platform's: Google's front end overwrites the header.
    """
    if not flask.has_request_context():
        return None
    headers = flask.request.headers
    # As `received` combines them: a repeated traceparent is malformed. Baggage is not read.
    names = ("traceparent", "tracestate")
    return carrier.read(
        {name: ",".join(headers.getlist(name)) for name in names if name in headers}
    ).span_context


def write() -> dict[str, str]:
    """Return the current span's context as headers for another function; empty outside a span."""
    context = carrier.write()
    return {**context, COPY: context["traceparent"]} if context else {}


def attributes(request: Any) -> dict[str, AttributeValue]:
    """Return the semantic conventions' attributes of a function that is called over HTTP.

    A client chooses the method, the path and the headers. What is not of their usual form is
    replaced, because it may be personal: a method by `_OTHER`, as the conventions say, each other
    segment of a path by `{}`, and an id by nothing.
    """
    execution_id = request.headers.get("Function-Execution-Id", "")
    segments = request.path.split("/")
    return {
        "faas.trigger": "http",
        "faas.invocation_id": execution_id if _EXECUTION_ID.fullmatch(execution_id) else "",
        "http.request.method": request.method if request.method in _METHODS else "_OTHER",
        "url.path": "/".join(each if _SEGMENT.fullmatch(each) else "{}" for each in segments)[:128],
        "url.scheme": request.scheme,
    }


def note_response(span: Span, response: Any) -> None:
    """Put a response's status on its span.

    `response` is anything that Flask accepts from a view: text, a map, a tuple, a response object.
    """
    note_status(span, flask.current_app.make_response(response).status_code)


def note_refusal(span: Span, error: Exception) -> bool:
    """Return whether `error` is one of Flask's 4xx responses, and note it on the span."""
    status_code = getattr(error, "code", None)
    if not isinstance(error, HTTPException) or status_code is None or status_code >= 500:
        return False
    note_status(span, status_code)
    span.set_attribute("error.type", str(status_code))
    span.add_event("refused", {"code": str(status_code), "message": str(error.description or "")})
    return True


def note_status(span: Span, status_code: int) -> None:
    """Put a response's status on its span; 500 and above make the span an error."""
    span.set_attribute("http.response.status_code", status_code)
    if status_code >= 500:
        span.set_attribute("error.type", str(status_code))
        span.set_status(Status(StatusCode.ERROR))


def _read_from(name: str, headers: Mapping[str, str]) -> carrier.Arrival:
    """Read the context whose traceparent is in the header `name`."""
    return carrier.read({**headers, "traceparent": headers.get(name)})
