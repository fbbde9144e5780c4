"""Traces that no well-behaved program sends, shown sensibly."""

from observatory.journey.reading import SPANS_LIMIT
from observatory.schemas.journey import Journey
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import INTERNAL, SERVER, Trace, key_values

YEAR_2100_NANO = 4_102_444_800 * 10**9


def journey_of(running: Running, trace: Trace) -> Journey:
    running.send(trace)
    return running.client.trace(trace.trace_id.hex())


def test_times_of_1970_and_2100_and_backwards_are_shown(running: Running) -> None:
    """Whatever the clock said, every span has a row, no duration is negative, and the parts add
    up to the whole."""
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
    assert sum(part["duration_ms"] for part in journey["parts"]) > 0
    assert running.http.get("/api/traces").status_code == 200


def test_ten_thousand_attributes_are_kept(running: Running) -> None:
    """A span with very many attributes is shown with all of them."""
    trace = Trace()
    span = trace.span("page", "much", INTERNAL, 0, 1)
    span.attributes.extend(key_values({f"key.{number}": number for number in range(10_000)}))
    (row,) = journey_of(running, trace)["rows"]
    assert len(row["attributes"]) == 10_000
    assert row["attributes"]["key.9999"] == 9_999


def test_of_two_spans_with_one_id_the_first_counts(running: Running) -> None:
    """A copy that comes later, even with other content, changes nothing."""
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


def test_a_trace_beyond_ten_thousand_spans_is_cut_and_says_so(running: Running) -> None:
    """The first 10,000 spans are shown, which are the nearest to the root."""
    trace = Trace()
    top = trace.span("page", "top", INTERNAL, 0, 20_000)
    for number in range(SPANS_LIMIT + 20):
        trace.span("page", f"step {number}", INTERNAL, number + 1, number + 2, top)
    journey = journey_of(running, trace)
    assert (journey["spans"], journey["truncated"]) == (SPANS_LIMIT, True)
    assert journey["orphans"] == 0
    assert journey["rows"][0]["name"] == "top"
