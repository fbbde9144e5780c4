"""One invocation of one function as one span: what every receiving hop has in common."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import flask
from opentelemetry import context, trace
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.util.types import AttributeValue

from throughline import attempt, carrier, telemetry

Returned = TypeVar("Returned")

_PROJECT_DIR = Path(__file__).resolve().parents[2]
_warm = threading.Event()


def _say_nothing(_span: Span, _result: object) -> None:
    """Put nothing on the span about what the function returned."""


@dataclass(frozen=True)
class Reception:
    """What one hop's adapter found out about the call it received, before the function runs.

    `hop` and `carried_in` are the contract's names for the hop and its carrier. `answered` may put
    what the function returned on its span.
    """

    arrival: carrier.Arrival
    hop: str
    carried_in: str
    kind: SpanKind
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    answered: Callable[[Span, Any], None] = _say_nothing


def traced(
    function: Callable[[Any], Returned], receive: Callable[[Any], Reception]
) -> Callable[[Any], Returned]:
    """Wrap a function of one argument so that each call of it is a span in the caller's trace.

    The span's parent is what `receive` found in the argument; context that the platform put on the
    HTTP request by itself is linked, never obeyed. An exception is recorded and goes on. Cloud Run
    takes the CPU away once the response is sent, so telemetry is flushed before returning, in a
    time that the exporter bounds.
    """
    source = _source_of(function)

    @functools.wraps(function)
    def invocation(argument: Any) -> Returned:
        reception = receive(argument)
        arrival = reception.arrival
        coldstart = not _warm.is_set()
        _warm.set()
        delivery = _attempt_of(reception)
        # Attached, not only given to the span: the baggage in it is for the whole invocation.
        token = context.attach(arrival.context)
        try:
            with trace.get_tracer("throughline").start_as_current_span(
                function.__name__,
                kind=reception.kind,
                links=[*_ambient_links(arrival), *delivery.links],
                attributes={
                    "faas.name": function.__name__,
                    "faas.coldstart": coldstart,
                    "throughline.hop": reception.hop,
                    "throughline.carrier": reception.carried_in,
                    "throughline.context": arrival.state,
                    **({"throughline.context.reason": arrival.reason} if arrival.reason else {}),
                    **source,
                    **delivery.attributes,
                    **reception.attributes,
                },
            ) as span:
                result = function(argument)
                reception.answered(span, result)
                return result
        finally:
            context.detach(token)
            telemetry.flush()

    return invocation


def request_headers() -> dict[str, str]:
    """The current HTTP request's headers with lowercase names; empty outside a request.

    The Firebase SDK drops a CloudEvent's extensions, but every function is called over HTTP, and
    the request is still there while it runs.
    """
    if not flask.has_request_context():
        return {}
    return {name.lower(): value for name, value in flask.request.headers.items()}


def _ambient_links(arrival: carrier.Arrival) -> list[Link]:
    ambient = carrier.read(request_headers()).span_context
    if ambient is None or ambient == arrival.span_context:
        return []
    return [Link(ambient, {"throughline.link": "http-request"})]


def _attempt_of(reception: Reception) -> attempt.Attempt:
    # Only events are delivered; anybody may put headers on a call of a public function.
    if reception.kind is not SpanKind.CONSUMER:
        return attempt.Attempt()
    return attempt.read(request_headers())


def _source_of(function: Callable[..., Any]) -> dict[str, AttributeValue]:
    inner = inspect.unwrap(function)
    path = Path(inner.__code__.co_filename).resolve()
    if path.is_relative_to(_PROJECT_DIR):
        path = path.relative_to(_PROJECT_DIR)
    return {
        "code.function.name": f"{inner.__module__}.{inner.__qualname__}",
        "code.file.path": path.as_posix(),
        "code.line.number": inner.__code__.co_firstlineno,
    }
