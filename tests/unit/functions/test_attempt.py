"""An event's delivery attempt, read from its two headers."""

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
    """Invoke a function with these headers; underscores in names become dashes."""
    work = traced(lambda _: None, lambda _: Reception(carrier.ABSENT, "pubsub", "any", kind))
    with APP.test_request_context(
        headers={name.replace("_", "-"): value for name, value in headers.items()}
    ):
        work(None)


def test_a_later_attempt_has_its_number_and_a_link_to_the_first(
    spans: InMemorySpanExporter,
) -> None:
    """The sender of the event includes both headers."""
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


def test_without_the_headers_a_span_has_no_attempt(spans: InMemorySpanExporter) -> None:
    """Google's platform does not send them."""
    run(SpanKind.CONSUMER)
    assert "throughline.delivery.attempt" not in attributes_of(the_span(spans))


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.INTERNAL])
def test_attempt_headers_count_only_for_events(spans: InMemorySpanExporter, kind: SpanKind) -> None:
    """Any client can send the headers to a public function, so they are ignored there."""
    run(kind, x_throughline_delivery_attempt="2", x_throughline_first_attempt=AMBIENT)
    span = the_span(spans)
    assert "throughline.delivery.attempt" not in attributes_of(span)
    assert span.links == ()


@pytest.mark.parametrize("number", ["", "0", "-1", "1.5", "two", "٣", "99999", "1 "])
def test_a_malformed_number_is_ignored(number: str) -> None:
    """The link to the first attempt is ignored too."""
    headers = {attempt.ATTEMPT_HEADER: number, attempt.FIRST_ATTEMPT_HEADER: TRACEPARENT}
    assert attempt.read(headers) == attempt.Attempt()


def test_an_unreadable_first_attempt_is_not_linked() -> None:
    """The number is still used."""
    headers = {attempt.ATTEMPT_HEADER: "2", attempt.FIRST_ATTEMPT_HEADER: "nonsense"}
    assert attempt.read(headers) == attempt.Attempt({"throughline.delivery.attempt": 2})
