"""One invocation of one function as one span: what every receiving hop has in common."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from opentelemetry import context, trace
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from throughline import attempt, carrier, code_attributes, http_request, telemetry

Returned = TypeVar("Returned")

_warm = threading.Event()


def _say_nothing(_span: Span, _result: object) -> None:
    """Put nothing on the span about what the function returned."""


def _is_a_failure(_span: Span, _error: Exception) -> bool:
    """Take no exception for an answer."""
    return False


@dataclass(frozen=True)
class Reception:
    """What one hop's adapter found out about the call it received, before the function runs.

    `hop` and `carried_in` are the contract's names for the hop and its carrier, None where nothing
    can carry. `answered` may put
    what the function returned on its span. `refused` says whether an exception is an answer to the
    caller rather than a failure of the function, and may put that on its span.
    """

    arrival: carrier.Arrival
    hop: str
    carried_in: str | None
    kind: SpanKind
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    answered: Callable[[Span, Any], None] = _say_nothing
    refused: Callable[[Span, Exception], bool] = _is_a_failure
    links: Sequence[Link] = ()


def traced(
    function: Callable[[Any], Returned], receive: Callable[[Any], Reception]
) -> Callable[[Any], Returned]:
    """Wrap a function of one argument so that each call of it is a span in the caller's trace.

    The span's parent is what `receive` found in the argument; context that the platform put on the
    HTTP request by itself is linked, never obeyed. An exception is recorded and goes on. Cloud Run
    takes the CPU away once the response is sent, so telemetry is flushed before returning, in a
    time that the exporter bounds.
    """
    source = code_attributes.of_function(function)

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
                links=[*_ambient_links(arrival), *delivery.links, *reception.links],
                record_exception=False,
                set_status_on_exception=False,
                attributes={
                    "faas.name": function.__name__,
                    "faas.coldstart": coldstart,
                    "throughline.hop": reception.hop,
                    "throughline.context": arrival.state,
                    **({"throughline.context.reason": arrival.reason} if arrival.reason else {}),
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
                    raise
                reception.answered(span, result)
                return result
        finally:
            context.detach(token)
            telemetry.flush()

    return invocation


def _note_failure(span: Span, error: Exception) -> None:
    kind = type(error)
    span.record_exception(error)
    span.set_attribute("error.type", f"{kind.__module__}.{kind.__qualname__}")
    span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {error}"))


def _ambient_links(arrival: carrier.Arrival) -> list[Link]:
    """The platform's own context, unless it is the arrival's: same ids, whatever its flags."""
    ambient = http_request.platforms_own()
    found = arrival.span_context
    if ambient is None or (
        found and (ambient.trace_id, ambient.span_id) == (found.trace_id, found.span_id)
    ):
        return []
    return [Link(ambient, {"throughline.link": "http-request"})]


def _attempt_of(reception: Reception) -> attempt.Attempt:
    # Only events are delivered; anybody may put headers on a call of a public function.
    if reception.kind is not SpanKind.CONSUMER:
        return attempt.Attempt()
    return attempt.read(http_request.received())
