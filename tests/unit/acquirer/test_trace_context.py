"""Trace context with an invalid part, as the processor extracts it."""

from __future__ import annotations

import pytest
from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator

from trace_context import TolerantTraceContext

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PROPAGATOR = CompositePropagator([TolerantTraceContext(), W3CBaggagePropagator()])


@pytest.mark.parametrize(
    ("more", "state", "items"),
    [
        ({"tracestate": "foo=1,bar=2,foo=1", "baggage": "a=1"}, "foo=1,bar=2", {"a": "1"}),
        ({"tracestate": "foo=1, foo=2\t,bar=2"}, "foo=1,bar=2", {}),
        ({"tracestate": "a=" + "x" * 9000, "baggage": "a=1"}, "", {"a": "1"}),
        ({"tracestate": "v=1", "baggage": "a=" + "x" * 9000}, "v=1", {}),
        ({"tracestate": "no list", "baggage": "a=1"}, "", {"a": "1"}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_valid_traceparent_survives_an_invalid_tracestate_or_baggage(
    more: dict[str, str], state: str, items: dict[str, str]
) -> None:
    """Only the part that is too long, or the later members of a repeated key, are dropped."""
    headers = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", **more}
    received = PROPAGATOR.extract(headers, Context())
    parent = trace.get_current_span(received).get_span_context()
    assert f"{parent.trace_id:032x}-{parent.span_id:016x}" == f"{TRACE_ID}-{SPAN_ID}"
    assert parent.trace_state.to_header() == state
    assert baggage.get_all(received) == items
