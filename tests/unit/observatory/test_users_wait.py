"""The user's wait: the headline and the time by category end where it ends."""

from typing import Any

import pytest

from observatory.schemas.journey import Journey
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import CONSUMER, INTERNAL, PRODUCER, SERVER, Trace, purchase


def journey_of(running: Running, trace: Trace) -> Journey:
    running.send(trace)
    return running.client.trace(trace.trace_id.hex())


def add_sweeps(trace: Trace, state: str, times: int = 3) -> None:
    """Let a schedule look at the order once a minute, which waits in a queue each time."""
    order: dict[str, Any] = {"boxoffice__order__id": "order-1", "boxoffice__order__state": state}
    cause = trace.spans[0][1]
    for n in range(times):
        begin = 60_000 * (n + 1)
        sent = trace.span("sweep", "send", PRODUCER, begin, begin + 10, cause)
        late = begin + 20_000
        cause = trace.span(
            "issue", "issue", CONSUMER, late, late + 30, sent, throughline__hop="pubsub", **order
        )


def test_work_after_the_final_state_is_not_part_of_the_users_wait(running: Running) -> None:
    """Neither the headline nor the time in queues grows with what follows."""
    alone = journey_of(running, purchase("order-1"))
    swept = purchase("order-1")
    add_sweeps(swept, "ticketed")
    journey = journey_of(running, swept)
    assert journey["headline"] == alone["headline"] == "2.29 s from click to ticketed"
    assert journey["summary"] == alone["summary"]
    spent = {part["where"]: part["duration_ms"] for part in journey["parts"]}
    assert spent["after"] == pytest.approx(journey["duration_ms"] - 2_294)
    assert sum(spent.values()) == pytest.approx(journey["duration_ms"])


def test_a_state_that_is_not_final_counts_from_when_it_was_first_reached(running: Running) -> None:
    """A stuck order is reported as unfinished, and a later sweep does not change the time."""
    stuck = purchase("order-1")
    stuck.spans = [each for each in stuck.spans if each[0] not in ("settle", "issue")]
    stuck.spans = [
        each for each in stuck.spans if each[1].name not in ("order paid", "order ticketed")
    ]
    add_sweeps(stuck, "charging")
    journey = journey_of(running, stuck)
    assert journey["headline"] == "715 ms from click to charging, and no final state yet"
    assert journey["state_tone"] is None


def test_a_later_state_is_mentioned(running: Running) -> None:
    """A refund years later does not make the purchase slower."""
    refunded = purchase("order-1")
    add_sweeps(refunded, "refunded", 1)
    journey = journey_of(running, refunded)
    assert journey["headline"] == "2.29 s from click to ticketed, refunded later"
    assert journey["state_tone"] == "good"


def test_without_states_a_request_ends_the_wait_and_other_roots_do_not(running: Running) -> None:
    """Who sends a request waits for the response, and not for what it set off."""
    request, job = Trace(), Trace()
    for trace, kind in ((request, SERVER), (job, INTERNAL)):
        root = trace.span("shop", "GET /buy", kind, 0, 100)
        trace.span("mailer", "send mail", CONSUMER, 4_000, 5_000, root)
    headline = journey_of(running, request)["headline"]
    assert headline == "100 ms for GET /buy, 5.00 s to its last span"
    assert journey_of(running, job)["headline"] == "5.00 s from GET /buy to its last span"
