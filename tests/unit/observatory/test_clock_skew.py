"""Clock skew: services with impossible times are found, and corrected on request."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observatory.journey.clock_skew import skew_of
from observatory.schemas.journey import Journey
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import (
    CLIENT,
    CONSUMER,
    MS,
    PRODUCER,
    SERVER,
    Trace,
    purchase,
)


def shifted(trace: Trace, service: str, by_ms: float) -> Trace:
    """Return the trace as it would be recorded with the clock of ``service`` ahead."""
    for of, span in trace.spans:
        if of == service:
            span.start_time_unix_nano += round(by_ms * MS)
            span.end_time_unix_nano += round(by_ms * MS)
    trace.logs = [
        (of, span_id, at + by_ms if of == service else at, severity, body)
        for of, span_id, at, severity, body in trace.logs
    ]
    return trace


def journey_of(running: Running, trace: Trace, **parameters: str) -> Journey:
    running.send(trace)
    response = running.http.get(f"/api/traces/{trace.trace_id.hex()}", params=parameters)
    assert response.status_code == 200, response.text
    journey: Journey = response.json()
    return journey


def test_clocks_that_agree_are_not_corrected(running: Running) -> None:
    """A purchase with possible times has no skew, and a correction changes nothing."""
    trace = purchase("order-1")
    recorded = journey_of(running, trace)
    assert (recorded["skew"], recorded["skew_corrected"]) == (None, False)
    corrected = journey_of(running, trace, correct_skew="1")
    assert [row["offset_ms"] for row in corrected["rows"]] == [
        row["offset_ms"] for row in recorded["rows"]
    ]
    assert not corrected["skew_corrected"]


@pytest.mark.parametrize("by_ms", [-5_000, -400, 400, 90_000])
def test_a_service_whose_clock_is_wrong_is_found_and_corrected(
    running: Running, by_ms: float
) -> None:
    """The skew names the service, its offset and the evidence; corrected times are possible."""
    trace = shifted(purchase("order-1"), "acquirer", by_ms)
    recorded = journey_of(running, trace)
    assert recorded["skew"] is not None
    (clock,) = recorded["skew"]["services"]
    assert clock["service"] == "acquirer"
    assert clock["offset_ms"] == pytest.approx(by_ms, abs=30)
    assert "the effect comes before its cause" in clock["evidence"]
    assert not recorded["skew_corrected"]
    corrected = journey_of(running, trace, correct_skew="1")
    assert corrected["skew_corrected"]
    assert corrected["skew"] == recorded["skew"]
    assert corrected["duration_ms"] == pytest.approx(2330, abs=1)
    rows = {(row["service"], row["name"]): row for row in corrected["rows"]}
    client, server = rows["charge", "POST /charges"], rows["acquirer", "POST /charges"]
    assert client["offset_ms"] <= server["offset_ms"]
    assert (
        server["offset_ms"] + server["duration_ms"] <= client["offset_ms"] + client["duration_ms"]
    )


def test_the_clock_of_the_page_is_corrected_with_its_logs_and_events(running: Running) -> None:
    """The root's clock is the wrong one when all other clocks agree with each other."""
    trace = shifted(purchase("order-1"), "page", 700)
    create = next(span for _, span in trace.spans if span.name == "create orders")
    create.events.add(name="sent", time_unix_nano=create.end_time_unix_nano)
    trace.log("page", create, 750, "INFO", "created")
    recorded = journey_of(running, trace)
    assert recorded["skew"] is not None
    assert [clock["service"] for clock in recorded["skew"]["services"]] == ["page"]
    corrected = journey_of(running, trace, correct_skew="1")
    (row,) = [row for row in corrected["rows"] if row["name"] == "create orders"]
    assert row["events"][0]["offset_ms"] == pytest.approx(row["offset_ms"] + row["duration_ms"])
    assert row["logs"][0]["offset_ms"] < row["offset_ms"]


def spans_of(trace: Trace) -> dict[str, dict[str, Any]]:
    """Return the spans by id, as ``read_spans`` decodes them."""
    return {
        span.span_id.hex(): {
            "span_id": span.span_id.hex(),
            "parent_span_id": span.parent_span_id.hex() or None,
            "service_name": service,
            "kind": ("", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")[span.kind],
            "start_unix_nano": span.start_time_unix_nano,
            "end_unix_nano": span.end_time_unix_nano,
            "status_code": "ERROR" if span.status.code else "UNSET",
            "hop": next(
                (a.value.string_value for a in span.attributes if a.key == "throughline.hop"), None
            ),
            "attributes": {},
        }
        for service, span in trace.spans
    }


def test_unusual_but_possible_times_are_not_skew() -> None:
    """They are a call that timed out, a server that continues after its response, a webhook, a
    message that was queued for an hour, and a clock with whole milliseconds."""
    trace = Trace()
    timed_out = trace.span("charge", "call", CLIENT, 0, 100, error="timed out")
    trace.span("vendor", "slow", SERVER, 150, 900, timed_out)
    call = trace.span("charge", "call", CLIENT, 0, 100)
    trace.span("vendor", "answer", SERVER, 10, 300, call)
    trace.span("settle", "settle", SERVER, 800, 810, call, throughline__hop="webhook")
    send = trace.span("reserve", "send", PRODUCER, 0, 1)
    trace.span("issue", "issue", CONSUMER, 3_600_000, 3_600_001, send)
    create = trace.span("page", "create", PRODUCER, 10.6, 11)
    trace.span("reserve", "reserve", CONSUMER, 10, 12, create)  # whole milliseconds
    assert skew_of(spans_of(trace)) is None


def test_one_impossible_pair_among_many_is_not_skew() -> None:
    """An offset that would make the other nine pairs impossible is rejected."""
    trace = Trace()
    for number in range(9):
        call = trace.span("charge", "call", CLIENT, number * 100, number * 100 + 20)
        trace.span("vendor", "answer", SERVER, number * 100 + 5, number * 100 + 15, call)
    stray = trace.span("charge", "call", CLIENT, 1_000, 1_020)
    trace.span("vendor", "answer", SERVER, 500, 510, stray)
    assert skew_of(spans_of(trace)) is None


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(1, 50)), min_size=1),
    st.sampled_from([-3_000, -250, 250, 3_000]),
)
@settings(max_examples=60, deadline=None)
def test_an_offset_is_found_with_any_latencies(
    calls: list[tuple[int, int, int]], by_ms: int
) -> None:
    """The offset is found within the largest latency, and without an offset there is no skew."""
    trace = Trace()
    for number, (request_ms, work_ms, response_ms) in enumerate(calls):
        begin = number * 1_000
        received, answered = begin + request_ms, begin + request_ms + work_ms
        call = trace.span("charge", "call", CLIENT, begin, answered + response_ms)
        trace.span("vendor", "answer", SERVER, received, answered, call)
    assert skew_of(spans_of(trace)) is None
    skew = skew_of(spans_of(shifted(trace, "vendor", by_ms)))
    assert skew is not None
    (clock,) = skew["services"]
    sign = 1 if clock["service"] == "vendor" else -1
    assert abs(sign * clock["offset_ms"] - by_ms) <= 50


def test_a_diff_uses_recorded_or_corrected_times(running: Running) -> None:
    """`skewed` is true in both cases."""
    good, skewed = purchase("order-1"), shifted(purchase("order-2"), "acquirer", 90_000)
    running.send(good)
    running.send(skewed)
    path = f"/api/diff/{good.trace_id.hex()}/{skewed.trace_id.hex()}"
    recorded, corrected = (running.http.get(path, params={"correct_skew": n}).json() for n in "01")
    assert (recorded["skewed"], corrected["skewed"]) == (True, True)
    assert recorded["right"]["duration_ms"] > 90_000
    assert corrected["right"]["duration_ms"] == pytest.approx(2330, abs=1)
    same = running.client.diff(good.trace_id.hex(), good.trace_id.hex())
    assert not same["skewed"]
