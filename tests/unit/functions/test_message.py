"""Hop 7 in one process: Pub/Sub events through the SDK's decorator."""

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
    """Return a function with the SDK's decorator, and the list of events it receives."""
    events: list[Any] = []

    @pubsub_fn.on_message_published(topic="order-paid")
    @throughline.on_message
    def issue(event: Any) -> None:
        events.append(event)

    return issue, events


def test_the_parent_is_in_the_messages_attributes(spans: InMemorySpanExporter) -> None:
    """The span has the messaging attributes of the semantic conventions."""
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
    """Throughline's take precedence, because they were written closer to the application."""
    issue, _ = declared()
    issue(message_event(attributes=attributes))
    assert kinship(the_span(spans)).parent == ids(parent)


def test_googles_tracestate_is_read_too(spans: InMemorySpanExporter) -> None:
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
    """The emulator omits the map of attributes if it is empty."""
    issue, events = declared()
    issue(message_event(**message))
    assert len(events) == 1
    assert the_span(spans).parent is None
    assert attributes_of(the_span(spans))["throughline.context"] == "absent"


def test_malformed_attributes_make_a_root_with_the_reason(spans: InMemorySpanExporter) -> None:
    """Google's attributes are not used instead, so that the error is visible."""
    issue, events = declared()
    issue(message_event(attributes={"traceparent": "x", "googclient_traceparent": TRACEPARENT}))
    assert len(events) == 1
    attributes = attributes_of(the_span(spans))
    assert the_span(spans).parent is None
    assert attributes["throughline.context.reason"] == "traceparent is malformed"


def test_sending_yields_attributes_with_its_own_span(spans: InMemorySpanExporter) -> None:
    """A message published with them is received as the span's child."""
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
    """The producer's span records the exception, which is raised again."""

    def publish() -> None:
        with throughline.sending("order-paid"):
            raise TimeoutError("Pub/Sub is away")

    with pytest.raises(TimeoutError):
        publish()
    assert the_span(spans).status.status_code is StatusCode.ERROR
