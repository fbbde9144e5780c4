"""Trace context in an HTTP request's headers, and what a span says of the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import flask
from opentelemetry.trace import Span, SpanContext, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from throughline import carrier, tracestate
from throughline.carrier import COPY

# Longer than this a tracestate is no vendor's, and what comes with it is not trusted either.
TRACESTATE_MAX_CHARS = 4096


def received() -> dict[str, str]:
    """The current HTTP request's headers with lowercase names; empty outside a request.

    The Firebase SDK drops a CloudEvent's extensions, but every function is called over HTTP, and
    the request is still there while it runs.
    """
    return combined(flask.request.headers.items()) if flask.has_request_context() else {}


def combined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lowercase name, those that came several times joined by commas (RFC 9110, 5.3).

    So a tracestate in several headers is one list, and a traceparent in two of them is malformed.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        name, value = name.lower(), value.strip(" \t")  # noqa: PLW2901
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def read(headers: Mapping[str, str]) -> carrier.Arrival:
    """Read the context out of headers as `combined` makes them; the copy wins over traceparent."""
    copied = _read_from(COPY, headers)
    if copied.state == "carried":
        return copied
    own = _read_from("traceparent", headers)
    return copied if own.state == "absent" else own


def platforms_own() -> SpanContext | None:
    """What the current HTTP request's traceparent says, whoever wrote it last."""
    return _read_from("traceparent", received()).span_context


def write() -> dict[str, str]:
    """The current span's context as headers for a function of ours; empty outside a span."""
    context = carrier.write()
    return {**context, COPY: context["traceparent"]} if context else {}


def attributes(request: Any) -> dict[str, AttributeValue]:
    """What the semantic conventions say of a function called over HTTP."""
    return {
        "faas.trigger": "http",
        "faas.invocation_id": request.headers.get("Function-Execution-Id", ""),
        "http.request.method": request.method,
        "url.path": request.path,
        "url.scheme": request.scheme,
    }


def note_response(span: Span, answer: Any) -> None:
    """Put an answer on its span, whatever Flask takes for one: text, a map, a tuple, a response.

    Of a server's answers only 500 and above are its errors.
    """
    note_status(span, flask.current_app.make_response(answer).status_code)


def note_status(span: Span, status_code: int) -> None:
    """Put a response's status on its span."""
    span.set_attribute("http.response.status_code", status_code)
    if status_code >= 500:
        span.set_attribute("error.type", str(status_code))
        span.set_status(Status(StatusCode.ERROR))


def _read_from(name: str, headers: Mapping[str, str]) -> carrier.Arrival:
    state = headers.get("tracestate")
    if state is not None and len(state) <= TRACESTATE_MAX_CHARS:
        state = tracestate.fit(state)
    return carrier.read(
        {
            "traceparent": headers.get(name),
            "tracestate": state,
            "baggage": headers.get("baggage"),
        }
    )
