"""Repeats: equal steps of a trace are counted instead of listed."""

from observatory.schemas.journey import Journey
from observatory.terminal.waterfall import folded_rows, render_waterfall
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import CLIENT, CONSUMER, INTERNAL, PRODUCER, SERVER, Trace


def redelivered(times: int = 12, refused: int = 3) -> Trace:
    """Return a trace in which a message is delivered again and again; one delivery differs."""
    t = Trace()
    root = t.span("page", "buy", INTERNAL, 0, 10, throughline__root="page")
    send = t.span("reserve", "send", PRODUCER, 2, 4, root)
    for n in range(times):
        begin = 100 * (n + 1)
        charge = t.span(
            *("charge", "charge", CONSUMER, begin, begin + 5 + n, send),
            error=f"order o-{n} is unknown",
            throughline__hop="pubsub",
        )
        t.span("charge", "Firestore/Get", CLIENT, begin + 1, begin + 2, charge)
    other = t.span("charge", "charge", CONSUMER, 5_000, 5_010, send, throughline__hop="pubsub")
    for n in range(refused):
        t.span("charge", "Firestore/Commit", CLIENT, 5_001 + n, 5_002 + n, other)
    return t


def journey_of(running: Running, trace: Trace) -> Journey:
    running.send(trace)
    return running.client.trace(trace.trace_id.hex())


def test_equal_legs_are_counted_whatever_their_times_and_the_ids_in_their_messages(
    running: Running,
) -> None:
    """The first stays, as does a leg without the error; three equal calls are not enough."""
    journey = journey_of(running, redelivered())
    (repeat,) = journey["repeats"]
    assert (len(repeat["repeats"]), repeat["spans"], repeat["errors"]) == (11, 22, 11)
    assert (repeat["from_ms"], repeat["to_ms"]) == (200, 1216)
    assert (repeat["shortest_ms"], repeat["longest_ms"]) == (6, 16)
    assert repeat["first"] not in repeat["repeats"]
    shown = [row.get("label", "repeats") for row in folded_rows(journey)]
    assert shown == [
        *("buy", "send", "charge", "Firestore/Get", "repeats", "charge"),
        *["Firestore/Commit"] * 3,
    ]


def test_equal_calls_of_one_span_are_counted_and_those_within_a_repeat_are_not(
    running: Running,
) -> None:
    """Calls of another span are not equal to them, because they belong to another step."""
    t = Trace()
    root = t.span("sweep", "sweep", SERVER, 0, 100)
    for n in range(4):
        part = t.span("sweep", "look at order", INTERNAL, 20 * n, 20 * n + 19, root)
        for call in range(5):
            t.span("sweep", "get", CLIENT, 20 * n + call, 20 * n + call + 1, part)
    t.span("sweep", "get", CLIENT, 90, 91, root)
    outer, inner = journey_of(running, t)["repeats"]
    assert (len(outer["repeats"]), outer["spans"]) == (3, 18)
    assert (len(inner["repeats"]), inner["spans"]) == (4, 4)


def test_the_waterfall_prints_the_number_of_repeats_or_each_of_them(running: Running) -> None:
    """The line follows the first occurrence."""
    journey = journey_of(running, redelivered())
    lines = render_waterfall(journey).splitlines()
    at = next(index for index, line in enumerate(lines) if "⋮" in line)
    assert lines[at].strip() == "⋮ 11 more like this until 1.22 s, 6 ms to 16 ms each (22 spans)"
    assert "Firestore/Get" in lines[at - 1]
    everything = render_waterfall(journey, all_rows=True)
    assert everything.count("Firestore/Get") == 12
    assert "⋮" not in everything
