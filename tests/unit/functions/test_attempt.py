"""Which attempt an invocation is, by the headers that say so."""

from __future__ import annotations

import flask
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from tests.unit.functions.traceparents import (
    AMBIENT,
    TRACEPARENT,
    attributes_of,
    ids,
    kinship,
    the_span,
)
from throughline import attempt, carrier
from throughline.invocation import Reception, traced

APP = flask.Flask(__name__)


def run(kind: SpanKind, **headers: str) -> None:
    """One invocation with these headers, dashes for underscores."""
    work = traced(lambda _: None, lambda _: Reception(carrier.ABSENT, "pubsub", "any", kind))
    with APP.test_request_context(
        headers={name.replace("_", "-"): value for name, value in headers.items()}
    ):
        work(None)


def test_a_later_attempt_has_its_number_and_a_link_to_the_first(
    spans: InMemorySpanExporter,
) -> None:
    """Whoever delivers events says both."""
    run(
        SpanKind.CONSUMER,
        x_throughline_delivery_attempt="3",
        x_throughline_first_attempt=TRACEPARENT,
    )
    span = the_span(spans)
    assert attributes_of(span)["throughline.delivery.attempt"] == 3
    (link,) = span.links
    assert kinship(span).links == [ids(TRACEPARENT)]
    assert dict(link.attributes or {}) == {"throughline.link": "first-attempt"}


def test_without_the_headers_a_span_does_not_guess(spans: InMemorySpanExporter) -> None:
    """Google's platform says nothing of attempts."""
    run(SpanKind.CONSUMER)
    assert "throughline.delivery.attempt" not in attributes_of(the_span(spans))


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.INTERNAL])
def test_a_call_is_no_event(spans: InMemorySpanExporter, kind: SpanKind) -> None:
    """Anybody may put headers on a call of a public function."""
    run(kind, x_throughline_delivery_attempt="2", x_throughline_first_attempt=AMBIENT)
    span = the_span(spans)
    assert "throughline.delivery.attempt" not in attributes_of(span)
    assert span.links == ()


@pytest.mark.parametrize("number", ["", "0", "-1", "1.5", "two", "٣", "99999", "1 "])
def test_a_number_that_is_none_counts_as_not_sent(number: str) -> None:
    """And so does what came with it."""
    headers = {attempt.ATTEMPT_HEADER: number, attempt.FIRST_ATTEMPT_HEADER: TRACEPARENT}
    assert attempt.read(headers) == attempt.Attempt()


def test_a_first_attempt_that_cannot_be_read_is_not_linked() -> None:
    """The number still counts."""
    headers = {attempt.ATTEMPT_HEADER: "2", attempt.FIRST_ATTEMPT_HEADER: "nonsense"}
    assert attempt.read(headers) == attempt.Attempt({"throughline.delivery.attempt": 2})
