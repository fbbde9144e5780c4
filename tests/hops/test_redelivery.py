"""Tests of retries and dead letters on the stack, and of orders under chaos."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from observatory.client import Observatory
from observatory.schemas.journey import Journey, Row
from tests.addresses import Addresses, StackUnderTest
from tests.buyer import DECLINED, BoxOffice, Buyer, new_order_id, new_traceparent
from tests.hops.pubsub import Subscription, about, publish
from tests.hops.redelivery import ATTEMPTS, Redelivery
from tests.spans import has_spans, one_row, picture, rows_of

DEAD_LETTER = ("redelivery", "send dead-letter")
GIVING_UP_SECONDS = 40.0


@pytest.fixture
def dead_letters(addresses: Addresses) -> Iterator[Subscription]:
    """A subscription to the dead-letter topic."""
    subscription = Subscription(addresses, "dead-letter")
    yield subscription
    subscription.delete()


def attempt_of(row: Row) -> Any:
    """Return the number of the attempt of a span, or None."""
    return row["attributes"].get("throughline.delivery.attempt")


def links_named(row: Row, name: str) -> list[str]:
    """Return the ids of the spans that a span links with that name."""
    return [
        link["span_id"]
        for link in row["links"]
        if link["attributes"].get("throughline.link") == name
    ]


def test_a_poison_message_is_retried_with_growing_delays_and_then_dead_lettered(
    addresses: Addresses,
    box_office: BoxOffice,
    order_in: Callable[..., str],
    observatory: Observatory,
    redelivery: Redelivery,
    dead_letters: Subscription,
) -> None:
    """Each attempt is a span with its number, linked to the first one. The stage does not know that
    it can never succeed: the order's ticket exists already."""
    order_id, traceparent = order_in("paid"), new_traceparent()
    box_office.documents.create(f"tickets/{order_id}-1", {}).raise_for_status()
    _, trace_id, span_id, _ = traceparent.split("-")
    publish(addresses, "order-paid", about(order_id), {"traceparent": traceparent})
    journey = observatory.wait_for_trace(trace_id, has_spans(DEAD_LETTER), GIVING_UP_SECONDS)
    attempts = sorted(rows_of(journey, "issue", "issue"), key=attempt_of)
    assert [attempt_of(row) for row in attempts] == [1, 2, 3, 4, 5], picture(journey)
    assert {row["parent_span_id"] for row in attempts} == {span_id}
    assert all(row["error"] for row in attempts)
    first = attempts[0]["span_id"]
    assert [links_named(row, "first-attempt") for row in attempts] == [[]] + [[first]] * 4
    starts = [row["offset_ms"] for row in attempts]
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(later > earlier for earlier, later in itertools.pairwise(gaps)), gaps
    assert gaps[0] >= 500
    assert gaps[-1] >= 4000

    gave_up = one_row(journey, *DEAD_LETTER)
    assert gave_up["error"]
    assert gave_up["status_message"].startswith(
        f"issue gave up after {ATTEMPTS} attempts: AlreadyExists: 409 "
    )
    assert attempt_of(gave_up) == ATTEMPTS
    assert links_named(gave_up, "first-attempt") == [first]
    assert links_named(gave_up, "last-attempt") == [attempts[-1]["span_id"]]

    letter = dead_letters.pull("first-attempt", f"00-{trace_id}-{first}-01")
    assert letter["attributes"]["function"] == "issue"
    assert letter["attributes"]["attempts"] == str(ATTEMPTS)
    assert letter["attributes"]["error"].startswith("AlreadyExists: 409 ")
    assert letter["attributes"]["traceparent"] == f"00-{trace_id}-{gave_up['span_id']}-01"
    assert letter["attributes"]["CloudPubSubDeadLetterSourceDeliveryCount"] == str(ATTEMPTS)
    event = json.loads(letter["data"])
    assert event["data"]["message"]["attributes"] == {"traceparent": traceparent}
    assert letter["messageId"] in [dead["message_id"] for dead in redelivery.dead()]
    # Otherwise a sweep would publish it again.
    box_office.documents.delete(f"orders/{order_id}").raise_for_status()


def test_a_document_event_is_dead_lettered_too(
    box_office: BoxOffice,
    buyer: Buyer,
    order_in: Callable[..., str],
    observatory: Observatory,
    dead_letters: Subscription,
) -> None:
    """The protobuf body of a Firestore event is unchanged in retries and in the dead letter. The
    stage retries, because the show's document lacks its price and can be corrected."""
    show_id, traceparent = new_order_id().lower(), new_traceparent()
    trace_id = traceparent.split("-")[1]
    box_office.documents.create(f"shows/{show_id}", {"seats_left": 1}).raise_for_status()
    order_id = order_in("placed", show_id=show_id, _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(trace_id, has_spans(DEAD_LETTER), GIVING_UP_SECONDS)
    attempts = rows_of(journey, "reserve", "reserve")
    assert sorted(map(attempt_of, attempts)) == [1, 2, 3, 4, 5]
    # The function could decode the event in each attempt: its span has the order and the context.
    assert {row["attributes"]["boxoffice.order.id"] for row in attempts} == {order_id}
    assert {row["context"] for row in attempts} == {"carried"}
    letter = dead_letters.pull("ce-document", f"orders/{order_id}")
    assert letter["attributes"]["ce-type"] == "google.cloud.firestore.document.v1.created"
    assert "KeyError: 'price_cents'" in letter["attributes"]["error"]
    assert order_id.encode() in letter["data"]
    box_office.close_show(show_id)


def test_an_event_that_succeeds_is_delivered_once_with_attempt_1(
    buyer: Buyer,
    observatory: Observatory,
    open_show: Callable[..., str],
    redelivery: Redelivery,
) -> None:
    """Without failures and chaos, redelivery receives no event."""
    before = redelivery.state()
    traceparent = new_traceparent()
    buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    stages = ("reserve", "charge", "settle", "issue")
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1], has_spans(*((each, each) for each in stages)), GIVING_UP_SECONDS
    )
    for function in ("reserve", "charge", "issue"):
        assert attempt_of(one_row(journey, function, function)) == 1
    assert attempt_of(one_row(journey, "settle", "settle")) is None, "a webhook is not an event"
    assert redelivery.state() == before


def test_duplicated_events_change_nothing(
    buyer: Buyer,
    box_office: BoxOffice,
    open_show: Callable[..., str],
    redelivery: Redelivery,
    observatory: Observatory,
) -> None:
    """Two deliveries of every event make one charge, one set of tickets and the right stock."""
    show_id, traceparent = open_show(seats=5), new_traceparent()
    redelivery.chaos(seed=1, duplicate_rate=1)
    order_id = buyer.place(show_id=show_id, seats=2, _trace={"traceparent": traceparent})
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    redelivery.wait_until_quiet()
    assert_bought_once(box_office, buyer, show_id, {order_id}, seats=2, seats_left=3)
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        lambda stored: len(rows_of(stored, "issue", "issue")) >= 2,
        GIVING_UP_SECONDS,
    )
    assert len(rows_of(journey, "reserve", "reserve")) == 2, picture(journey)
    assert {attempt_of(row) for row in rows_of(journey, "issue", "issue")} == {1}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_the_invariants_hold_under_chaos(
    buyer: Buyer,
    box_office: BoxOffice,
    open_show: Callable[..., str],
    redelivery: Redelivery,
    seed: int,
) -> None:
    """With duplicated, delayed, reordered and failing events no order is lost or charged twice, and
    the seats of declined orders are back in stock."""
    show_id, before = open_show(seats=10), redelivery.state()
    redelivery.chaos(
        seed=seed, duplicate_rate=0.5, delay_ms_max=300, reorder_rate=0.4, fail_rate=0.4
    )
    bought = {buyer.place(show_id=show_id) for _ in range(4)}
    declined = {buyer.place(show_id=show_id, card_token=DECLINED) for _ in range(2)}
    for order_id in bought:
        assert box_office.wait_for(order_id, seconds=90)["state"] == "ticketed"
    for order_id in declined:
        assert box_office.wait_for(order_id, seconds=90)["state"] == "declined"
    state = redelivery.wait_until_quiet()
    assert state["dead"] == before["dead"]
    assert_bought_once(box_office, buyer, show_id, bought, seats=1, seats_left=6)


def test_attempts_that_fail_before_and_after_the_function_runs_are_in_the_trace(
    buyer: Buyer,
    box_office: BoxOffice,
    open_show: Callable[..., str],
    redelivery: Redelivery,
    observatory: Observatory,
) -> None:
    """Every first delivery fails. Before the function runs, redelivery records the span; after it,
    the function has, and the next attempt links to it."""
    redelivery.chaos(seed=3, fail_rate=1)
    traceparent = new_traceparent()
    order_id = buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    redelivery.wait_until_quiet()

    def both_attempts(journey: Journey) -> bool:
        return all(
            {1, 2} <= set(attempts(journey, name)) for name in ("reserve", "charge", "issue")
        )

    def attempts(journey: Journey, name: str) -> list[int]:
        rows = rows_of(journey, name, name) + rows_of(journey, "redelivery", f"deliver {name}")
        return [attempt_of(row) for row in rows]

    journey = observatory.wait_for_trace(
        traceparent.split("-")[1], both_attempts, GIVING_UP_SECONDS
    )
    failed = [row for row in rows_of(journey, "redelivery") if row["name"].startswith("deliver ")]
    assert {row["status_message"] for row in failed} == {"made to fail before the function ran"}
    for name in ("reserve", "charge", "issue"):
        # The second attempt of reserve may publish again, so charge may receive two messages.
        rows = rows_of(journey, name, name)
        first = {row["span_id"] for row in rows if attempt_of(row) == 1}
        second = [row for row in rows if attempt_of(row) == 2]
        assert first <= {link for row in second for link in links_named(row, "first-attempt")}


def test_without_the_redelivery_process_purchases_work(
    under_test: StackUnderTest,
    buyer: Buyer,
    box_office: BoxOffice,
    open_show: Callable[..., str],
    redelivery: Redelivery,
) -> None:
    """It hangs while chaos is on: each event runs after a timeout."""
    redelivery.chaos(seed=1, duplicate_rate=1)
    with suspended(under_test.redelivery_pid):
        order_id = buyer.place(show_id=open_show(seats=1))
        assert box_office.wait_for(order_id)["state"] == "ticketed"


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Suspend a process: its port accepts connections, but it does not answer."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def assert_bought_once(
    box_office: BoxOffice,
    buyer: Buyer,
    show_id: str,
    order_ids: set[str],
    *,
    seats: int,
    seats_left: int,
) -> None:
    """Assert one successful charge for each order, one ticket for each seat, and the stock."""
    charges = [
        charge["metadata"]["order_id"]
        for charge in box_office.charges()
        if charge["status"] == "succeeded" and charge["metadata"].get("order_id") in order_ids
    ]
    assert sorted(charges) == sorted(order_ids)
    tickets = [
        ticket["order_id"]
        for ticket in box_office.documents.find("tickets", buyer.uid)
        if ticket["order_id"] in order_ids
    ]
    assert sorted(tickets) == sorted(list(order_ids) * seats)
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == seats_left
