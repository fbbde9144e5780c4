"""Hop 11: context crosses Eventarc in the CloudEvent's distributed tracing extension."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import flask
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from throughline import carrier, http_request
from throughline.invocation import Reception, Returned, traced

# RFC 7230, section 3.2.6.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


@contextmanager
def publishing(event_type: str, event_id: str) -> Iterator[dict[str, str]]:
    """Publish one CloudEvent inside a PRODUCER span.

    Yields the extension attributes to put on the event; add your own to them freely.
    """
    with trace.get_tracer("throughline").start_as_current_span(
        f"send {event_type}",
        kind=SpanKind.PRODUCER,
        attributes={"cloudevents.event_id": event_id, "cloudevents.event_type": event_type},
    ):
        yield carrier.write()


def on_event(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.eventarc_fn` calls with a custom event.

    Apply it directly above `def`. The span's parent is the event's `traceparent` extension. The SDK
    drops extensions, so they are read from the HTTP request that delivered the event.
    """
    return traced(function, _receive)


def _receive(event: Any) -> Reception:
    return Reception(
        arrival=carrier.read(_extensions()),
        hop="eventarc",
        carried_in="cloudevent-extension",
        kind=SpanKind.CONSUMER,
        attributes={
            "faas.trigger": "other",
            "faas.invocation_id": event.id,
            "faas.time": event.time.isoformat(),
            "cloudevents.event_id": event.id,
            "cloudevents.event_source": event.source,
            "cloudevents.event_spec_version": event.specversion,
            "cloudevents.event_type": event.type,
        },
    )


def _extensions() -> Mapping[str, object]:
    """Return the event's tracing attributes from the HTTP request that delivered it.

    They are `ce-` headers in the binary mode of the HTTP binding, which Eventarc uses, and in the
    body in the structured mode, which the emulator uses.
    """
    headers = http_request.received()
    prefixed = {
        key: _decoded(headers[f"ce-{key}"]) for key in carrier.KEYS if f"ce-{key}" in headers
    }
    if prefixed or not flask.has_request_context():
        return prefixed
    body = flask.request.get_json(silent=True)
    if not isinstance(body, dict) or "specversion" not in body:
        return {}
    return {key: body[key] for key in carrier.KEYS if key in body}


def _decoded(header: str) -> str:
    """Return the attribute's value in a `ce-` header (CloudEvents HTTP binding 1.0.2, 3.1.3.2).

    Double-quoted strings are unescaped, then one round of percent-decoding is done. Bytes that are
    not UTF-8 become U+FFFD, which no attribute of trace context may hold: so only that
    attribute is refused, as the binding requires.
    """
    unquoted = _QUOTED.sub(lambda quoted: _ESCAPED.sub(r"\1", quoted[1]), header)
    return unquote(unquoted, errors="replace")
