"""The critical path of a trace."""

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
    """Store a trace, and return its critical path."""
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    return segments_of(journey)


def segments_of(journey: Journey) -> list[tuple[str, str, float, float]]:
    """Return the segments as (name, kind, begin, end), in milliseconds."""
    names = {row["span_id"]: row["label"] for row in journey["rows"]}
    return [
        (
            names[segment["span_id"]],
            segment["kind"],
            segment["offset_ms"],
            round(segment["offset_ms"] + segment["duration_ms"], 6),
        )
        for segment in journey["critical_path"]
    ]


def test_the_path_of_a_purchase_has_its_waits_and_no_gaps(running: Running) -> None:
    """It has the waits in queues, and the vendor's work by the link of the webhook, but no listener
    that delayed nothing."""
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


def test_time_belongs_to_the_call_that_was_waited_for(running: Running) -> None:
    """Time between calls is the caller's own; of concurrent calls, the last to end counts."""
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


def test_a_consumer_is_not_on_the_path_of_its_sender(running: Running) -> None:
    """The consumer of a message delays nothing, even if it ends before the sender does."""
    trace = Trace()
    top = trace.span("page", "buy", INTERNAL, 0, 100)
    send = trace.span("page", "send", PRODUCER, 10, 20, top)
    trace.span("audit", "audit", CONSUMER, 30, 60, send, throughline__hop="pubsub")
    assert path_of(running, trace) == [
        ("buy", "run", 0, 10),
        ("send", "run", 10, 20),
        ("buy", "run", 20, 100),
    ]


def test_the_path_of_a_span_that_waits_for_a_listener_has_the_write(running: Running) -> None:
    """A page's span that lasts until its listener is called waited for the write that called it."""
    trace = Trace()
    buy = trace.span("page", "buy", INTERNAL, 0, 100)
    create = trace.span("page", "create", PRODUCER, 5, 10, buy)
    reserve = trace.span("reserve", "reserve", CONSUMER, 40, 70, create, throughline__hop="trigger")
    write = trace.span("reserve", "Commit", CLIENT, 50, 60, reserve)
    trace.span("page", "snapshot", CONSUMER, 80, 85, write, throughline__hop="listener")
    assert path_of(running, trace) == [
        ("buy", "run", 0, 5),
        ("create", "run", 5, 10),
        ("reserve", "wait", 10, 40),
        ("reserve", "run", 40, 50),
        ("Commit", "run", 50, 60),
        ("snapshot", "wait", 60, 80),
        ("snapshot", "run", 80, 85),
        ("buy", "run", 85, 100),
    ]


def test_malformed_traces_have_a_path(running: Running) -> None:
    """It ends in spite of cycles of parents, spans before their parents, and negative durations."""
    trace = Trace()
    first = trace.span("page", "first", INTERNAL, 0, 10)
    second = trace.span("page", "second", INTERNAL, 1, 9, first)
    first.parent_span_id = second.span_id
    early = trace.span("page", "early", INTERNAL, 20, 25)
    trace.span("reserve", "earlier", SERVER, 2, 4, early)
    trace.span("page", "backwards", INTERNAL, 30, 28, early)
    running.send(trace)
    path = segments_of(running.client.trace(trace.trace_id.hex()))
    assert all(begin < end for _, _, begin, end in path)
    assert [begin for _, _, begin, _ in path] == sorted(begin for _, _, begin, _ in path)
    instant = Trace()
    instant.span("page", "blink", INTERNAL, 0, 0)
    assert path_of(running, instant) == []


@pytest.mark.parametrize("tree", ["deep", "wide"])
def test_five_thousand_spans_take_less_than_three_seconds(running: Running, tree: str) -> None:
    """A trace of 5,000 nested or parallel spans takes well below a second on a quiet machine."""
    import time

    trace = Trace()
    last = trace.span("page", "top", INTERNAL, 0, 10_000)
    top = last
    for number in range(4_999):
        parent = last if tree == "deep" else top
        last = trace.span(
            "page" if number % 2 else "reserve",
            f"step {number % 50}",
            CONSUMER if number % 2 else CLIENT,
            number,
            10_000 - number if tree == "deep" else number + 1.5,
            parent,
            throughline__hop="listener" if number % 2 else "document",
            boxoffice__order__id="order-1",
        )
    running.send(trace)
    began = time.process_time()
    journey = running.client.trace(trace.trace_id.hex())
    cpu_seconds = time.process_time() - began
    assert (journey["spans"], journey["truncated"]) == (5_000, False)
    assert cpu_seconds < 3, f"{cpu_seconds:.2f} s"
