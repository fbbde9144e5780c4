"""Malformed and extreme traces are shown."""

import pytest

from observatory.journey.reading import SPANS_LIMIT
from observatory.schemas.journey import Journey
from observatory.terminal.difference import render_difference
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import INTERNAL, SERVER, Trace, key_values

YEAR_2100_NANO = 4_102_444_800 * 10**9


def journey_of(running: Running, trace: Trace) -> Journey:
    running.send(trace)
    return running.client.trace(trace.trace_id.hex())


def test_spans_with_implausible_times_are_shown(running: Running) -> None:
    """Every span has a row, and no duration is negative."""
    trace = Trace()
    top = trace.span("page", "now", INTERNAL, 0, 10, throughline__root="page")
    first = trace.span("page", "1970", INTERNAL, 0, 0, top)
    first.start_time_unix_nano, first.end_time_unix_nano = 0, 1
    last = trace.span("page", "2100", SERVER, 0, 0, top)
    last.start_time_unix_nano = last.end_time_unix_nano = YEAR_2100_NANO
    trace.span("page", "backwards", INTERNAL, 9, 3, top)
    never = trace.span("page", "never", INTERNAL, 0, 0, top)
    never.start_time_unix_nano = never.end_time_unix_nano = 2**64 - 1
    journey = journey_of(running, trace)
    assert journey["started_at"] == "1970-01-01T00:00:00.000Z"
    assert {row["name"] for row in journey["rows"]} == {"now", "1970", "2100", "backwards", "never"}
    assert min(row["duration_ms"] for row in journey["rows"]) == 0
    assert sum(share["duration_ms"] for share in journey["parts"]) > 0
    assert running.http.get("/api/traces").status_code == 200


def test_a_span_keeps_ten_thousand_attributes(running: Running) -> None:
    """A span with ten thousand attributes is shown with all of them."""
    trace = Trace()
    span = trace.span("page", "much", INTERNAL, 0, 1)
    span.attributes.extend(key_values({f"key.{number}": number for number in range(10_000)}))
    (row,) = journey_of(running, trace)["rows"]
    assert len(row["attributes"]) == 10_000
    assert row["attributes"]["key.9999"] == 9_999


def test_of_two_spans_with_the_same_id_the_first_counts(running: Running) -> None:
    """A copy that arrives later is ignored, even with other content."""
    trace = Trace()
    span = trace.span("page", "first", INTERNAL, 0, 5)
    running.send(trace)
    with running.store.reader() as reader:
        reader.execute(
            "insert into raw_spans select * replace ('second' as name, "
            "received_unix_nano + 1 as received_unix_nano) from raw_spans"
        )
    journey = running.client.trace(trace.trace_id.hex())
    assert [row["name"] for row in journey["rows"]] == ["first"]
    assert journey["rows"][0]["span_id"] == span.span_id.hex()


def test_a_trace_with_more_than_ten_thousand_spans_is_truncated(running: Running) -> None:
    """The 10,000 spans that start first are shown, and the journey is marked as truncated."""
    trace = Trace()
    top = trace.span("page", "top", INTERNAL, 0, 20_000)
    for number in range(SPANS_LIMIT + 20):
        trace.span("page", f"step {number}", INTERNAL, number + 1, number + 2, top)
    journey = journey_of(running, trace)
    assert (journey["spans"], journey["truncated"]) == (SPANS_LIMIT, True)
    assert journey["repeats"] == []  # every step has another name
    assert journey["orphans"] == 0
    assert journey["rows"][0]["name"] == "top"


@pytest.mark.long
def test_a_comparison_says_that_a_trace_was_truncated(running: Running) -> None:
    """On both sides, if a trace of more than 10,000 spans is compared with itself."""
    trace = Trace()
    top = trace.span("page", "top", INTERNAL, 0, 20_000)
    for number in range(SPANS_LIMIT + 20):
        trace.span("page", f"step {number}", INTERNAL, number + 1, number + 2, top)
    journey_of(running, trace)
    diff = running.client.diff(*[trace.trace_id.hex()] * 2)
    assert diff["left"]["truncated"]
    text = "It has more spans; only the first 10000 were compared."
    assert render_difference(diff).count(text) == 2
