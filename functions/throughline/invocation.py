"""One invocation of a function as one span: what all receiving hops have in common."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from opentelemetry import context, trace
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from throughline import (
    attempt,
    baggage_corrections,
    carrier,
    code_attributes,
    http_request,
    outcomes,
    telemetry,
)

Returned = TypeVar("Returned")

_warm = threading.Event()


def _ignore_result(_span: Span, _result: object) -> None:
    """Put nothing on the span about what the function returned."""


def _never_refused(_span: Span, _error: Exception) -> bool:
    """Treat every exception as a failure."""
    return False


@dataclass(frozen=True)
class Reception:
    """What a hop's adapter reads from a call before the function runs.

    `hop` and `carried_in` are the names of the hop and its carrier in docs/hops.md; the latter is
    None if the hop cannot carry context. `answered` may put the function's result on its span.
    `refused` returns whether an exception is a response to the caller rather than a failure of the
    function, and may put it on the span.
    """

    arrival: carrier.Arrival
    hop: str
    carried_in: str | None
    kind: SpanKind
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    answered: Callable[[Span, Any], None] = _ignore_result
    refused: Callable[[Span, Exception], bool] = _never_refused
    links: Sequence[Link] = ()


def traced(
    function: Callable[[Any], Returned], receive: Callable[[Any], Reception]
) -> Callable[[Any], Returned]:
    """Wrap a function of one argument so that each call of it is a span in the caller's trace.

    The span's parent is what `receive` found in the argument; the platform's own context on
    the HTTP request becomes a link, never the parent. An exception is recorded and raised again.
    Telemetry is delivered before the wrapper returns, because Cloud Run takes the CPU away once the
    response is sent; the exporter's timeout bounds the wait.
    """
    source = code_attributes.of_function(function)

    @functools.wraps(function)
    def invocation(argument: Any) -> Returned:
        reception = receive(argument)
        arrival = reception.arrival
        coldstart = not _warm.is_set()
        _warm.set()
        delivery = _attempt_of(reception)
        with telemetry.request():
            # Attached, not only passed to the span: its baggage is for the whole invocation.
            token = context.attach(baggage_corrections.begin(arrival.context))
            try:
                with _tracer(trace.get_tracer_provider()).start_as_current_span(
                    function.__name__,
                    kind=reception.kind,
                    links=[*_ambient_links(arrival), *delivery.links, *reception.links],
                    record_exception=False,
                    set_status_on_exception=False,
                    attributes={
                        "faas.name": function.__name__,
                        "faas.coldstart": coldstart,
                        "throughline.hop": reception.hop,
                        "throughline.context": arrival.state,
                        **(
                            {"throughline.context.reason": arrival.reason} if arrival.reason else {}
                        ),
                        **(
                            {"throughline.carrier": reception.carried_in}
                            if reception.carried_in
                            else {}
                        ),
                        **source,
                        **delivery.attributes,
                        **reception.attributes,
                    },
                ) as span:
                    try:
                        result = function(argument)
                    except Exception as error:
                        if not reception.refused(span, error):
                            _note_failure(span, error)
                        if reception.kind is SpanKind.CONSUMER:
                            outcomes.complete(span, error)
                        raise
                    if reception.kind is SpanKind.CONSUMER:
                        outcomes.complete(span)
                    reception.answered(span, result)
                    return result
            finally:
                context.detach(token)

    return invocation


@functools.lru_cache(maxsize=1)
def _tracer(provider: trace.TracerProvider) -> trace.Tracer:
    """Return the provider's tracer; looking it up each time takes as long as recording a span."""
    return provider.get_tracer("throughline")


def _note_failure(span: Span, error: Exception) -> None:
    kind = type(error)
    span.record_exception(error)
    span.set_attribute("error.type", f"{kind.__module__}.{kind.__qualname__}")
    span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {error}"))


def _ambient_links(arrival: carrier.Arrival) -> list[Link]:
    """Return a link to the platform's own context, unless the arrival has the same ids."""
    ambient = http_request.from_platform()
    parent = arrival.span_context
    if ambient is None or (
        parent and (ambient.trace_id, ambient.span_id) == (parent.trace_id, parent.span_id)
    ):
        return []
    return [Link(ambient, {"throughline.link": "http-request"})]


def _attempt_of(reception: Reception) -> attempt.Attempt:
    # Only events have attempts; any client may put these headers on a call of a public function.
    if reception.kind is not SpanKind.CONSUMER:
        return attempt.Attempt()
    return attempt.read(http_request.received())
