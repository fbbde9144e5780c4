"""Hop 7: context crosses Pub/Sub in the message's attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from throughline import carrier
from throughline.invocation import Reception, Returned, traced

# The prefix of the attributes that Google's own publishers write where tracing is enabled.
_GOOGLE_PREFIX = "googclient_"


@contextmanager
def sending(topic: str) -> Iterator[dict[str, str]]:
    """Send one message inside a PRODUCER span.

    Yields the attributes to publish the message with; add your own to them freely. `topic` is the
    topic's short name.
    """
    with trace.get_tracer("throughline").start_as_current_span(
        f"send {topic}",
        kind=SpanKind.PRODUCER,
        attributes={
            "messaging.system": "gcp_pubsub",
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
        },
    ):
        yield carrier.write()


def on_message(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.pubsub_fn` calls with a published message.

    Apply it directly above `def`. The span's parent is the context in the message's attributes.
    """
    return traced(function, _receive)


def _receive(event: Any) -> Reception:
    message = event.data.message
    return Reception(
        arrival=carrier.read(_carrier_of(message.attributes)),
        hop="pubsub",
        carried_in="message-attributes",
        kind=SpanKind.CONSUMER,
        attributes={
            "faas.trigger": "pubsub",
            "faas.invocation_id": event.id,
            "messaging.system": "gcp_pubsub",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            # //pubsub.googleapis.com/projects/P/topics/T
            "messaging.destination.name": event.source.rsplit("/", 1)[-1],
            "messaging.message.id": message.message_id,
            "cloudevents.event_id": event.id,
            "cloudevents.event_source": event.source,
            "cloudevents.event_type": event.type,
        },
    )


def _carrier_of(attributes: Mapping[str, str] | None) -> Mapping[str, str]:
    attributes = attributes or {}
    if "traceparent" in attributes:
        return attributes
    return {
        name.removeprefix(_GOOGLE_PREFIX): value
        for name, value in attributes.items()
        if name.startswith(_GOOGLE_PREFIX)
    }
