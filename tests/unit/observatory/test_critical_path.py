"""The critical path: what the end of a trace waited for."""

import pytest

from observatory.schemas.journey import Journey
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import (
    CLIENT,
    CONSUMER,
    INTERNAL,
    PRODUCER,
    SERVER,
    Trace,
    purchase,
)


def path_of(running: Running, trace: Trace) -> list[tuple[str, str, float, float]]:
    """The stretches as (name, kind, begin, end), in milliseconds."""
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    return told(journey)


def told(journey: Journey) -> list[tuple[str, str, float, float]]:
    names = {row["span_id"]: row["label"] for row in journey["rows"]}
    return [
        (
            names[one["span_id"]],
            one["kind"],
            one["offset_ms"],
            round(one["offset_ms"] + one["duration_ms"], 6),
        )
        for one in journey["critical_path"]
    ]


def test_it_leads_through_waits_from_the_click_to_the_end(running: Running) -> None:
    """Of a purchase: the queues' waits, the vendor by way of the webhook's link, and no listener
    that only looked on; the stretches follow each other without a gap."""
    path = path_of(running, purchase("order-1"))
    waits = [(name, begin, end) for name, kind, begin, end in path if kind == "wait"]
    assert waits == [
        ("reserve", 148, 328),
        ("charge", 540, 600),
        ("card network", 834, 836),
        ("POST", 1720, 1724),
        ("issue", 1960, 2050),
    ]
    assert ("card network", "run", 836, 1720) in path
    assert "order placed" not in {name for name, _, _, _ in path}
    assert [begin for _, _, begin, _ in path[1:]] == [end for _, _, _, end in path[:-1]]
    assert (path[0][2], path[-1][3]) == (0, 2330)


def test_time_belongs_to_the_deepest_call_that_was_waited_for(running: Running) -> None:
    """A caller has what is left between its calls; of calls at the same time the last to end."""
    trace = Trace()
    top = trace.span("charge", "charge", SERVER, 0, 100)
    trace.span("charge", "quick", CLIENT, 10, 20, top)
    slow = trace.span("charge", "slow", CLIENT, 10, 60, top)
    trace.span("vendor", "answer", SERVER, 15, 55, slow)
    trace.span("charge", "late", CLIENT, 50, 90, top)
    assert path_of(running, trace) == [
        ("charge", "run", 0, 10),
        ("quick", "run", 10, 20),
        ("charge", "run", 20, 50),
        ("late", "run", 50, 90),
        ("charge", "run", 90, 100),
    ]


def test_what_goes_on_beside_is_not_waited_for(running: Running) -> None:
    """A message's consumer that ends before its sender does holds nothing up."""
    trace = Trace()
    top = trace.span("page", "buy", INTERNAL, 0, 100)
    send = trace.span("page", "send", PRODUCER, 10, 20, top)
    trace.span("audit", "audit", CONSUMER, 30, 60, send, throughline__hop="pubsub")
    assert path_of(running, trace) == [
        ("buy", "run", 0, 10),
        ("send", "run", 10, 20),
        ("buy", "run", 20, 100),
    ]


def test_a_span_that_is_told_by_a_listener_waited_for_what_told_it(running: Running) -> None:
    """A page span that lasts until the listener calls leads to the write that it heard of."""
    trace = Trace()
    buy = trace.span("page", "buy", INTERNAL, 0, 100)
    create = trace.span("page", "create", PRODUCER, 5, 10, buy)
    reserve = trace.span("reserve", "reserve", CONSUMER, 40, 70, create, throughline__hop="trigger")
    write = trace.span("reserve", "Commit", CLIENT, 50, 60, reserve)
    trace.span("page", "told", CONSUMER, 80, 85, write, throughline__hop="listener")
    assert path_of(running, trace) == [
        ("buy", "run", 0, 5),
        ("create", "run", 5, 10),
        ("reserve", "wait", 10, 40),
        ("reserve", "run", 40, 50),
        ("Commit", "run", 50, 60),
        ("told", "wait", 60, 80),
        ("told", "run", 80, 85),
        ("buy", "run", 85, 100),
    ]


def test_odd_traces_have_a_path_too(running: Running) -> None:
    """Circles of parents, spans before their parents, negative durations and one instant end."""
    trace = Trace()
    first = trace.span("page", "first", INTERNAL, 0, 10)
    second = trace.span("page", "second", INTERNAL, 1, 9, first)
    first.parent_span_id = second.span_id
    early = trace.span("page", "early", INTERNAL, 20, 25)
    trace.span("reserve", "earlier", SERVER, 2, 4, early)
    trace.span("page", "backwards", INTERNAL, 30, 28, early)
    running.send(trace)
    path = told(running.client.trace(trace.trace_id.hex()))
    assert all(begin < end for _, _, begin, end in path)
    assert [begin for _, _, begin, _ in path] == sorted(begin for _, _, begin, _ in path)
    instant = Trace()
    instant.span("page", "blink", INTERNAL, 0, 0)
    assert path_of(running, instant) == []


@pytest.mark.parametrize("shape", ["deep", "wide"])
def test_five_thousand_spans_take_well_below_a_second(running: Running, shape: str) -> None:
    """A trace of 5,000 spans, one below the other or side by side, is put in order in time."""
    import time

    trace = Trace()
    above = trace.span("page", "top", INTERNAL, 0, 10_000)
    top = above
    for number in range(4_999):
        parent = above if shape == "deep" else top
        above = trace.span(
            "page" if number % 2 else "reserve",
            f"step {number % 50}",
            CONSUMER if number % 2 else CLIENT,
            number,
            10_000 - number if shape == "deep" else number + 1.5,
            parent,
            throughline__hop="listener" if number % 2 else "document",
            boxoffice__order__id="order-1",
        )
    running.send(trace)
    began = time.process_time()
    journey = running.client.trace(trace.trace_id.hex())
    took = time.process_time() - began
    assert (journey["spans"], journey["truncated"]) == (5_000, False)
    assert took < 3, f"{took:.2f} s"  # of this process's time, on a machine that is busy
