"""Hop 7: from a function through Pub/Sub to another function."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from observatory.client import Observatory
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer, new_traceparent
from tests.hops.pubsub import about, publish
from tests.hops.redelivery import Redelivery
from tests.spans import ORDER_SECONDS, has_spans, one_row, picture, trace_of_order
from tests.trace_plugin import Trace


def test_the_consumer_continues_the_producers_trace(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """For both messages of a purchase, the consumer's parent is the producer's span."""
    traceparent = new_traceparent()
    buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(("issue", "issue")), ORDER_SECONDS
    )
    for producer, topic, consumer in (
        ("reserve", "order-reserved", "charge"),
        ("settle", "order-paid", "issue"),
    ):
        sent = one_row(journey, producer, f"send {topic}")
        processed = one_row(journey, consumer, consumer)
        assert sent["kind"] == "PRODUCER"
        assert processed["kind"] == "CONSUMER"
        Trace(journey).parent(processed, sent)
        assert (processed["hop"], processed["carrier"]) == ("pubsub", "message-attributes")
        assert processed["attributes"]["messaging.destination.name"] == topic
        assert processed["attributes"]["messaging.system"] == "gcp_pubsub"


def test_a_message_without_attributes_starts_a_new_root(
    addresses: Addresses,
    order_in: Callable[..., str],
    observatory: Observatory,
    box_office: BoxOffice,
) -> None:
    """The message is processed all the same."""
    order_id = order_in("charging")
    publish(addresses, "order-reserved", about(order_id))
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = trace_of_order(observatory, order_id, has_spans(("issue", "issue")), "charge")
    charge = one_row(journey, "charge", "charge")
    assert charge["parent_span_id"] is None
    assert charge["context"] == "absent"
    assert journey["orphans"] == 0, picture(journey)


def test_googles_own_attribute_is_read_too(
    addresses: Addresses,
    order_in: Callable[..., str],
    observatory: Observatory,
    box_office: BoxOffice,
) -> None:
    """Google's publisher clients write `googclient_traceparent` if tracing is on."""
    order_id, traceparent = order_in("paid"), new_traceparent()
    _, trace_id, span_id, _ = traceparent.split("-")
    attributes = {"googclient_traceparent": traceparent}
    publish(addresses, "order-paid", about(order_id), attributes)
    box_office.wait_for(order_id)
    journey = observatory.wait_for_trace(trace_id, has_spans(("issue", "issue")))
    assert one_row(journey, "issue", "issue")["parent_span_id"] == span_id


POISON = (b"not json", b"[]", b"{}", b'{"order_id": 7}', b'{"order_id": "a/b"}', b"\xff\xfe")


@pytest.mark.parametrize("data", POISON, ids=str)
def test_an_unreadable_message_is_given_up_at_its_first_attempt(
    addresses: Addresses,
    observatory: Observatory,
    redelivery: Redelivery,
    data: bytes,
) -> None:
    """The trace has one run of issue, with the exception and the reason, and no retry."""
    traceparent = new_traceparent()
    before = redelivery.state()
    publish(addresses, "order-paid", data, {"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(("issue", "issue")), ORDER_SECONDS
    )
    run = one_row(journey, "issue", "issue")
    assert run["error"]
    assert run["attributes"]["boxoffice.permanent_failure"] == "unreadable_message"
    exception = run["events"][0]["attributes"]
    assert exception["exception.type"] == "boxoffice.topics.UnreadableMessage"
    assert redelivery.state() == before


def test_a_repeated_message_changes_nothing(
    addresses: Addresses,
    order_in: Callable[..., str],
    observatory: Observatory,
    box_office: BoxOffice,
) -> None:
    """Pub/Sub delivers at least once; the second delivery's span records that it did nothing."""
    order_id = order_in("paid")
    publish(addresses, "order-paid", about(order_id))
    first = box_office.wait_for(order_id)
    again = new_traceparent()
    publish(addresses, "order-paid", about(order_id), {"traceparent": again})
    journey = observatory.wait_for_trace(again.split("-")[1], has_spans(("issue", "issue")))
    assert one_row(journey, "issue", "issue")["attributes"]["boxoffice.nothing_to_do"] == "done"
    assert box_office.documents.read(f"orders/{order_id}") == first
