"""Hop 7 in one process: Pub/Sub events through the SDK's own decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from firebase_functions import pubsub_fn
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import throughline
from tests.unit.functions.cloud_events import message_event
from tests.unit.functions.traceparents import (
    TRACEPARENT,
    Kinship,
    attributes_of,
    ids,
    kinship,
    the_span,
)

OTHER = "00-33333333333333333333333333333333-4444444444444444-01"


def declared() -> tuple[Callable[[Any], None], list[Any]]:
    """A function behind the SDK's decorator, and the events it was called with."""
    events: list[Any] = []

    @pubsub_fn.on_message_published(topic="order-paid")
    @throughline.on_message
    def issue(event: Any) -> None:
        events.append(event)

    return issue, events


def test_the_parent_is_in_the_messages_attributes(spans: InMemorySpanExporter) -> None:
    """And the span says in the semantic conventions what was processed."""
    issue, events = declared()
    issue(message_event(attributes={"traceparent": TRACEPARENT, "colour": "red"}))
    assert events[0].data.message.attributes["colour"] == "red"
    span = the_span(spans)
    assert (span.name, span.kind) == ("issue", SpanKind.CONSUMER)
    assert kinship(span) == Kinship(ids(TRACEPARENT), [])
    expected = {
        "throughline.hop": "pubsub",
        "throughline.carrier": "message-attributes",
        "throughline.context": "carried",
        "faas.trigger": "pubsub",
        "messaging.system": "gcp_pubsub",
        "messaging.operation.type": "process",
        "messaging.destination.name": "order-paid",
        "messaging.message.id": "7",
        "cloudevents.event_id": "event-2",
    }
    assert attributes_of(span).items() >= expected.items()


@pytest.mark.parametrize(
    ("attributes", "parent"),
    [
        ({"googclient_traceparent": TRACEPARENT}, TRACEPARENT),
        ({"googclient_traceparent": OTHER, "traceparent": TRACEPARENT}, TRACEPARENT),
        ({"googclient_traceparent": TRACEPARENT, "tracestate": "nonsense"}, TRACEPARENT),
    ],
    ids=["Google's", "both", "mixed"],
)
def test_googles_attributes_are_read_where_ours_are_missing(
    spans: InMemorySpanExporter, attributes: dict[str, str], parent: str
) -> None:
    """Ours go first: they were written closer to the application."""
    issue, _ = declared()
    issue(message_event(attributes=attributes))
    assert kinship(the_span(spans)).parent == ids(parent)


def test_googles_tracestate_comes_along(spans: InMemorySpanExporter) -> None:
    """It is part of the same context."""
    issue, _ = declared()
    googles = {"googclient_traceparent": TRACEPARENT, "googclient_tracestate": "vendor=1"}
    issue(message_event(attributes=googles))
    parent = the_span(spans).parent
    assert parent is not None
    assert dict(parent.trace_state) == {"vendor": "1"}


@pytest.mark.parametrize(
    "message",
    [{}, {"attributes": {}}, {"attributes": None}, {"attributes": {"colour": "red"}}],
    ids=str,
)
def test_a_message_without_context_makes_a_root(
    spans: InMemorySpanExporter, message: dict[str, Any]
) -> None:
    """The emulator sends no attributes at all where there are none."""
    issue, events = declared()
    issue(message_event(**message))
    assert len(events) == 1
    assert the_span(spans).parent is None
    assert attributes_of(the_span(spans))["throughline.context"] == "absent"


def test_malformed_attributes_make_a_root_that_says_so(spans: InMemorySpanExporter) -> None:
    """Ours are malformed: Google's are not asked instead, so that the fault is seen."""
    issue, events = declared()
    issue(message_event(attributes={"traceparent": "x", "googclient_traceparent": TRACEPARENT}))
    assert len(events) == 1
    attributes = attributes_of(the_span(spans))
    assert the_span(spans).parent is None
    assert attributes["throughline.context.reason"] == "traceparent is malformed"


def test_a_sender_yields_the_attributes_that_name_its_span(spans: InMemorySpanExporter) -> None:
    """What is published with them arrives as its child."""
    with throughline.sending("order-paid") as attributes:
        attributes["colour"] = "red"
    sent = the_span(spans)
    assert (sent.name, sent.kind) == ("send order-paid", SpanKind.PRODUCER)
    assert attributes_of(sent)["messaging.operation.type"] == "send"
    assert attributes_of(sent)["messaging.destination.name"] == "order-paid"
    issue, _ = declared()
    issue(message_event(attributes=attributes))
    received = spans.get_finished_spans()[-1]
    assert received.parent is not None
    assert received.parent.span_id == sent.context.span_id


def test_a_message_that_could_not_be_sent_is_an_error(spans: InMemorySpanExporter) -> None:
    """The producer's span has the exception, which goes on."""

    def publish() -> None:
        with throughline.sending("order-paid"):
            raise TimeoutError("Pub/Sub is away")

    with pytest.raises(TimeoutError):
        publish()
    assert the_span(spans).status.status_code is StatusCode.ERROR
