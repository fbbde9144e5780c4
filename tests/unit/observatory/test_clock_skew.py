"""Clocks that disagree: found by what can't be, corrected on request, and never by a guess."""

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
    """The trace as it would be told if the clock of ``service`` were ahead."""
    for of, span in trace.spans:
        if of == service:
            span.start_time_unix_nano += round(by_ms * MS)
            span.end_time_unix_nano += round(by_ms * MS)
    trace.logs = [
        (of, span_id, at + by_ms if of == service else at, severity, body)
        for of, span_id, at, severity, body in trace.logs
    ]
    return trace


def journey_of(running: Running, trace: Trace, **asked: str) -> Journey:
    running.send(trace)
    answer = running.http.get(f"/api/traces/{trace.trace_id.hex()}", params=asked)
    assert answer.status_code == 200, answer.text
    found: Journey = answer.json()
    return found


def test_clocks_that_agree_are_left_alone(running: Running) -> None:
    """A purchase whose times are possible has no skew, and asking to correct changes nothing."""
    trace = purchase("order-1")
    plain = journey_of(running, trace)
    assert (plain["skew"], plain["skew_corrected"]) == (None, False)
    asked = journey_of(running, trace, correct_skew="1")
    assert [row["offset_ms"] for row in asked["rows"]] == [
        row["offset_ms"] for row in plain["rows"]
    ]
    assert not asked["skew_corrected"]


@pytest.mark.parametrize("by_ms", [-5_000, -400, 400, 90_000])
def test_a_service_whose_clock_is_wrong_is_found_and_corrected(
    running: Running, by_ms: float
) -> None:
    """The service and about its offset are told with evidence; corrected, the trace is possible."""
    trace = shifted(purchase("order-1"), "acquirer", by_ms)
    told = journey_of(running, trace)
    assert told["skew"] is not None
    (one,) = told["skew"]["services"]
    assert one["service"] == "acquirer"
    assert one["offset_ms"] == pytest.approx(by_ms, abs=30)
    assert "would have their effect before their cause" in one["evidence"]
    assert not told["skew_corrected"]
    mended = journey_of(running, trace, correct_skew="1")
    assert mended["skew_corrected"]
    assert mended["skew"] == told["skew"]
    assert mended["duration_ms"] == pytest.approx(2330, abs=1)
    rows = {(row["service"], row["name"]): row for row in mended["rows"]}
    client, server = rows["charge", "POST /charges"], rows["acquirer", "POST /charges"]
    assert client["offset_ms"] <= server["offset_ms"]
    assert (
        server["offset_ms"] + server["duration_ms"] <= client["offset_ms"] + client["duration_ms"]
    )


def test_the_page_may_be_the_one_that_is_wrong(running: Running) -> None:
    """When all others agree with each other, it is the root's clock that is off; its log lines
    and events are moved with it."""
    trace = shifted(purchase("order-1"), "page", 700)
    create = next(span for _, span in trace.spans if span.name == "create orders")
    create.events.add(name="sent", time_unix_nano=create.end_time_unix_nano)
    trace.log("page", create, 750, "INFO", "created")
    told = journey_of(running, trace)
    assert told["skew"] is not None
    assert [one["service"] for one in told["skew"]["services"]] == ["page"]
    mended = journey_of(running, trace, correct_skew="1")
    (row,) = [row for row in mended["rows"] if row["name"] == "create orders"]
    assert row["events"][0]["offset_ms"] == pytest.approx(row["offset_ms"] + row["duration_ms"])
    assert row["logs"][0]["offset_ms"] < row["offset_ms"]


def spans_of(trace: Trace) -> dict[str, dict[str, Any]]:
    """The spans as the store gives them, decoded."""
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


def test_what_is_only_odd_is_no_evidence() -> None:
    """A call that gave up, a server that works on after its answer, a webhook, a message that lay
    for an hour, and a clock that counts whole milliseconds are all possible."""
    trace = Trace()
    gave_up = trace.span("charge", "call", CLIENT, 0, 100, error="timed out")
    trace.span("vendor", "slow", SERVER, 150, 900, gave_up)
    call = trace.span("charge", "call", CLIENT, 0, 100)
    trace.span("vendor", "answer", SERVER, 10, 300, call)
    trace.span("settle", "settle", SERVER, 800, 810, call, throughline__hop="webhook")
    send = trace.span("reserve", "send", PRODUCER, 0, 1)
    trace.span("issue", "issue", CONSUMER, 3_600_000, 3_600_001, send)
    whole = trace.span("page", "create", PRODUCER, 10.6, 11)
    trace.span("reserve", "reserve", CONSUMER, 10, 12, whole)
    assert skew_of(spans_of(trace)) is None


def test_one_odd_pair_among_many_doesnt_move_a_clock() -> None:
    """An offset that would break as much as it mends is no explanation."""
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
def test_an_offset_is_found_whatever_the_latencies(
    calls: list[tuple[int, int, int]], by_ms: int
) -> None:
    """With any latencies there and back the offset is found to within half of the least of them,
    and without an offset none is found."""
    trace = Trace()
    for number, (there, takes, back) in enumerate(calls):
        begin = number * 1_000
        call = trace.span("charge", "call", CLIENT, begin, begin + there + takes + back)
        trace.span("vendor", "answer", SERVER, begin + there, begin + there + takes, call)
    assert skew_of(spans_of(trace)) is None
    skew = skew_of(spans_of(shifted(trace, "vendor", by_ms)))
    assert skew is not None
    (one,) = skew["services"]
    sign = 1 if one["service"] == "vendor" else -1
    assert abs(sign * one["offset_ms"] - by_ms) <= 50


def test_two_traces_are_compared_with_the_clocks_that_were_asked_for(running: Running) -> None:
    """As they were told, or set right; that they can't be right is said either way."""
    good, odd = purchase("order-1"), shifted(purchase("order-2"), "acquirer", 90_000)
    running.send(good)
    running.send(odd)
    path = f"/api/diff/{good.trace_id.hex()}/{odd.trace_id.hex()}"
    told, mended = (running.http.get(path, params={"correct_skew": n}).json() for n in "01")
    assert (told["skewed"], mended["skewed"]) == (True, True)
    assert told["right"]["duration_ms"] > 90_000
    assert mended["right"]["duration_ms"] == pytest.approx(2330, abs=1)
    same = running.client.diff(good.trace_id.hex(), good.trace_id.hex())
    assert not same["skewed"]
