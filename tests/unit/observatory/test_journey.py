"""Journeys: legs, waits, orphans, coverage, and time by category."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observatory.compare.coverage import coverage_of_everything
from observatory.compare.digest import Digests
from observatory.compare.digest.digests import digest_some
from observatory.compare.digest.tables import prepare
from observatory.compare.selection import Selection
from observatory.compare.trace_list import Page, list_traces
from observatory.journey.reading import read_journey
from observatory.schemas.journey import Journey, Row
from observatory.store import Store
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import (
    CLIENT,
    CONSUMER,
    ERROR,
    INTERNAL,
    PRODUCER,
    SERVER,
    Trace,
    purchase,
)


def journey_of(running: Running, trace: Trace) -> Journey:
    running.send(trace)
    return running.client.trace(trace.trace_id.hex())


def row_named(journey: Journey, name: str) -> Row:
    (row,) = [row for row in journey["rows"] if row["label"] == name]
    return row


def test_the_legs_of_a_purchase_are_in_order_of_their_starts(running: Running) -> None:
    """Each leg has its service and the hop that led to it."""
    journey = journey_of(running, purchase("order-1"))
    assert [(leg["service"], leg["name"], leg["hop"]) for leg in journey["legs"]] == [
        ("page", "buy", None),
        ("page", "order placed", "listener"),
        ("reserve", "reserve", "trigger"),
        ("page", "order reserved", "listener"),
        ("charge", "charge", "pubsub"),
        ("acquirer", "POST /charges", None),
        ("page", "order charging", "listener"),
        ("settle", "settle", "webhook"),
        ("page", "order paid", "listener"),
        ("issue", "issue", "pubsub"),
        ("page", "order ticketed", "listener"),
    ]
    assert journey["hops"] == ["document", "listener", "trigger", "pubsub", "vendor", "webhook"]
    assert journey["services"] == ["page", "reserve", "charge", "acquirer", "settle", "issue"]
    parties = {row["service"]: row["party"] for row in journey["rows"]}
    assert (parties["page"], parties["reserve"], parties["acquirer"]) == (
        "page",
        "function",
        "vendor",
    )


def test_a_complete_purchase_is_covered(running: Running) -> None:
    """A trace in which every hop carried the context has no orphans and a coverage of 1."""
    journey = journey_of(running, purchase("order-1"))
    assert (journey["orphans"], journey["coverage"], journey["errors"]) == (0, 1.0, 0)
    assert journey["missing_parents"] == []
    assert journey["order_id"] == "order-1"
    assert journey["order_state"] == "ticketed"
    assert journey["headline"] == "2.29 s from click to ticketed"
    assert journey["summary"].endswith("10 of 10 hops carried the context.")


def test_rows_are_indented_below_their_parents(running: Running) -> None:
    """Within a leg, a span comes after its parent and the parent's earlier children."""
    journey = journey_of(running, purchase("order-1"))
    acquirer = [
        (row["label"], row["indent"]) for row in journey["rows"] if row["service"] == "acquirer"
    ]
    assert acquirer == [("POST /charges", 0), ("card network", 1), ("POST", 2)]
    assert row_named(journey, "settle")["depth"] == 6


def test_an_rpc_is_labelled_without_its_package(running: Running) -> None:
    """The row of a gRPC span has both its full name and a short label."""
    journey = journey_of(running, purchase("order-1"))
    row = row_named(journey, "Firestore/BatchGetDocuments")
    assert row["name"] == "/google.firestore.v1.Firestore/BatchGetDocuments"


def test_a_wait_is_from_the_producers_end_to_the_consumers_start(running: Running) -> None:
    """A consumer that starts before its producer ends has no wait."""
    journey = journey_of(running, purchase("order-1"))
    waits = {
        row["label"]: row["wait"] and (row["wait"]["offset_ms"], row["wait"]["duration_ms"])
        for row in journey["rows"]
    }
    assert waits["reserve"] == (148, 180)
    assert waits["charge"] == (540, 60)
    assert waits["issue"] == (1960, 90)
    assert waits["settle"] is None  # a webhook isn't a queue
    assert waits["POST"] is None

    trace = Trace()
    sent = trace.span("reserve", "send", PRODUCER, 0, 50)
    trace.span("charge", "charge", CONSUMER, 30, 60, sent)
    task = trace.span("expire", "task", SERVER, 90, 95, sent, throughline__hop="task")
    trace.span("expire", "write", PRODUCER, 200, 201, task, throughline__hop="trigger")
    journey = journey_of(running, trace)
    assert row_named(journey, "charge")["wait"] is None
    assert row_named(journey, "task")["wait"] == {"offset_ms": 50, "duration_ms": 40}
    assert row_named(journey, "write")["wait"] is None  # it sends by this hop


def test_a_missing_producer_leaves_an_orphan_and_uncovered_spans(running: Running) -> None:
    """The child of the missing span is the orphan, and all of its descendants are uncovered."""
    trace = purchase("order-1")
    lost = next(span for _, span in trace.spans if span.name == "send order-reserved")
    trace.spans = [(service, span) for service, span in trace.spans if span is not lost]
    journey = journey_of(running, trace)
    assert journey["orphans"] == 1
    assert journey["missing_parents"] == [lost.span_id.hex()]
    assert row_named(journey, "charge")["orphan"]
    uncovered = {row["service"] for row in journey["rows"] if not row["covered"]}
    assert uncovered == {"charge", "acquirer", "settle", "issue", "page"}
    assert journey["coverage"] == journey["covered"] / journey["spans"] == 9 / 23

    trace.spans = [("reserve", lost)]
    running.send(trace)
    assert running.client.trace(trace.trace_id.hex())["coverage"] == 1


@pytest.mark.parametrize("context", ["absent", "invalid"])
def test_spans_below_a_receiver_without_context_are_not_covered(
    running: Running, context: str
) -> None:
    """A receiver that started a trace of its own is not an orphan, but not covered either."""
    trace = Trace()
    top = trace.span("charge", "charge", CONSUMER, 0, 10, throughline__context=context)
    trace.span("charge", "POST /charges", CLIENT, 1, 9, top)
    journey = journey_of(running, trace)
    assert (journey["orphans"], journey["coverage"]) == (0, 0.0)
    assert journey["summary"].endswith("0 of 1 hop carried the context.")


def test_a_root_of_another_app_is_covered(running: Running) -> None:
    """Instrumentations that know nothing of throughline report neither a context nor a root."""
    trace = Trace()
    top = trace.span("checkout", "GET /cart", SERVER, 0, 10)
    trace.span("checkout", "select", CLIENT, 1, 9, top)
    journey = journey_of(running, trace)
    assert (journey["covered"], journey["coverage"]) == (2, 1.0)
    coverage = running.client.coverage()
    assert (coverage["covered"], coverage["broken"], coverage["roots"]) == (2, [], {})


def test_spans_in_a_cycle_of_parents_are_shown_once_and_not_covered(running: Running) -> None:
    """This also holds for a span that is its own parent."""
    trace = Trace()
    first = trace.span("page", "first", INTERNAL, 0, 10)
    second = trace.span("page", "second", INTERNAL, 1, 9, first)
    first.parent_span_id = second.span_id
    own = trace.span("page", "own parent", INTERNAL, 2, 3)
    own.parent_span_id = own.span_id
    journey = journey_of(running, trace)
    assert sorted(row["name"] for row in journey["rows"]) == ["first", "own parent", "second"]
    assert (journey["orphans"], journey["coverage"]) == (0, 0.0)


def test_a_span_with_an_error_has_its_message_and_exception(running: Running) -> None:
    """A span with status ERROR is counted and marked in the journey."""
    trace = purchase("order-1")
    issue = next(span for _, span in trace.spans if span.name == "issue")
    issue.status.code = ERROR
    issue.status.message = "too much contention"
    issue.events.add(name="exception", time_unix_nano=issue.end_time_unix_nano)
    journey = journey_of(running, trace)
    row = row_named(journey, "issue")
    assert (journey["errors"], row["error"], row["status_message"]) == (
        1,
        True,
        "too much contention",
    )
    assert [(event["name"], event["offset_ms"]) for event in row["events"]] == [("exception", 2330)]


def test_a_link_says_whether_its_trace_is_stored(running: Running) -> None:
    """The explorer follows only links to stored traces."""
    view = Trace()
    seen = view.span("page", "page view", INTERNAL, 0, 1, throughline__root="page")
    running.send(view)
    trace = Trace()
    elsewhere = Trace().span("page", "gone", INTERNAL, 0, 1)
    trace.span("page", "buy", INTERNAL, 0, 1, links=[seen, elsewhere])
    (row,) = journey_of(running, trace)["rows"]
    assert [link["stored"] for link in row["links"]] == [True, False]
    assert row["links"][0]["trace_id"] == view.trace_id.hex()


def test_a_log_line_of_a_missing_span_is_shown_with_the_trace(running: Running) -> None:
    """A log record with the trace's id is shown even if its span is not stored."""
    trace = Trace()
    trace.span("page", "buy", INTERNAL, 0, 1)
    absent = Trace().span("page", "absent", INTERNAL, 0, 1)
    trace.log("page", absent, 5, "ERROR", "where am I?")
    journey = journey_of(running, trace)
    assert [line["body"] for line in journey["logs"]] == ["where am I?"]


def test_the_categories_of_time_add_up_to_the_duration(running: Running) -> None:
    """The vendor's request to our webhook does not count as the vendor's time."""
    journey = journey_of(running, purchase("order-1"))
    spent = {share["where"]: share["duration_ms"] for share in journey["parts"]}
    assert sum(spent.values()) == pytest.approx(journey["duration_ms"])
    # 330 ms in the three queues and 8 ms until the first listener, less 11 ms of "order placed".
    assert spent["waiting"] == pytest.approx(180 + 60 + 90 + 8 - 11, abs=0.01)
    # From the charge's POST until settle starts, less 3 ms of the page and two gaps of 2 ms.
    assert spent["vendor"] == pytest.approx(1740 - 700, abs=8)
    labels = {share["where"]: share["label"] for share in journey["parts"]}
    assert labels["vendor"] == "at the acquirer"


def test_time_between_spans_is_a_category_of_its_own(running: Running) -> None:
    """It is the time without a running span and without a message in a queue."""
    trace = Trace()
    top = trace.span("page", "click", INTERNAL, 0, 10, throughline__root="page")
    trace.span("charge", "charge", SERVER, 110, 120, top)
    shares = journey_of(running, trace)["parts"]
    assert {share["where"]: share["duration_ms"] for share in shares} == {
        "vendor": 0,
        "waiting": 0,
        "working": 20,
        "between": 100,
        "after": 0,
    }


def test_the_state_is_not_that_of_a_delayed_listener(running: Running) -> None:
    """A listener may be notified of an early state after the order has reached a later one."""
    trace = purchase("order-1")
    trace.spans = [(s, span) for s, span in trace.spans if span.name != "order ticketed"]
    trace.span(
        "page", "order paid", CONSUMER, 2100, 2103,
        boxoffice__order__state="paid", throughline__hop="listener",
    )  # fmt: skip
    assert journey_of(running, trace)["order_state"] == "ticketed"


def test_a_service_may_declare_its_party(running: Running) -> None:
    """The resource attribute throughline.party sets the party of any service."""
    trace = Trace()
    trace.span("payments-co", "charge", SERVER, 0, 1)
    request = trace.request()
    attribute = request.resource_spans[0].resource.attributes.add(key="throughline.party")
    attribute.value.string_value = "vendor"
    running.post("/v1/traces", request.SerializeToString())
    assert running.client.trace(trace.trace_id.hex())["rows"][0]["party"] == "vendor"


ATTRIBUTES: dict[str, dict[str, Any]] = {
    "declared root": {"throughline__root": "page"},
    "declared root, nothing carried": {
        "throughline__root": "page",
        "throughline__context": "absent",
    },
    "lost context": {"throughline__context": "absent"},
    "plain": {},
}


def draw_span_specs(draw: Any) -> list[tuple[int | None, str, bool]]:
    """Draw for each span its parent's index (-1: missing), its attributes, whether it is sent."""
    size = draw(st.integers(1, 12))
    return [
        (
            draw(st.one_of(st.none(), st.integers(-1, size - 1))),
            draw(st.sampled_from(list(ATTRIBUTES))),
            draw(st.integers(0, 9)) > 0,
        )
        for _ in range(size)
    ]


span_specs = st.composite(draw_span_specs)()


@pytest.mark.parametrize("examples", [15, pytest.param(200, marks=pytest.mark.long)])
def test_list_coverage_and_journey_agree(tmp_path: Path, examples: int) -> None:
    """For any tree of spans, the SQL of digests and the Python of journeys count the same."""

    @settings(max_examples=examples)
    @given(span_specs, st.sampled_from([0.0, 3600.0]))
    def check(specs: Sequence[tuple[int | None, str, bool]], grace_seconds: float) -> None:
        check_counts(tmp_path, specs, grace_seconds)

    check()


def check_counts(
    folder: Path, specs: Sequence[tuple[int | None, str, bool]], grace_seconds: float
) -> None:
    """Store a tree of spans in a new file, and compare the counts of spans and orphans."""
    trace = Trace()
    spans = [
        trace.span("page", str(n), INTERNAL, n, n + 5, **ATTRIBUTES[kind])
        for n, (_, kind, _) in enumerate(specs)
    ]
    for span, (parent, _, _) in zip(spans, specs, strict=True):
        if parent is not None:
            span.parent_span_id = spans[parent].span_id if parent >= 0 else secrets.token_bytes(8)
    exported = [span for span, (_, _, is_sent) in zip(spans, specs, strict=True) if is_sent]
    trace.spans = [("page", span) for span in exported]
    if not trace.spans:
        return
    store = Store(folder / f"{trace.trace_id.hex()}.duckdb")
    digests = Digests(store, grace_seconds)
    try:
        store.add(trace.rows()).result(10)
        with digests.reader() as reader:
            journey = read_journey(reader, trace.trace_id.hex(), grace_seconds=grace_seconds)
            coverage = coverage_of_everything(reader)
            _, (line,), _ = list_traces(reader, Selection().condition(reader), Page(10))
    finally:
        digests.close()
        store.close()
    assert journey is not None
    assert len(journey["rows"]) == len(trace.spans)
    for counts in (coverage, line):
        assert counts["spans"] == journey["spans"]
        assert counts["orphans"] == (0 if journey["awaiting"] else journey["orphans"])
        coverage_of_journey = (journey["covered"] + journey["awaiting"]) / journey["spans"]
        assert counts["coverage"] == pytest.approx(coverage_of_journey)
    broken = line["orphans"] > 0 or line["coverage"] < 1
    assert [trace["trace_id"] for trace in coverage["broken"]] == [trace.trace_id.hex()] * broken


def test_a_journey_is_complete_however_much_of_it_is_digested(tmp_path: Path) -> None:
    """Spans are found whether they arrived before or after the last digest."""
    trace, other = purchase("order-1"), purchase("order-2")
    services = list(dict.fromkeys(service for service, _ in trace.spans))
    store = Store(tmp_path / "spans.duckdb")
    try:
        with store.reader() as reader:
            prepare(reader)
            sent = 0
            for service in services:
                for rows in (trace.rows(service), other.rows(service)):
                    store.add(rows).result(10)
                sent += len(trace.rows(service).identities)
                journey = read_journey(reader, trace.trace_id.hex())
                assert journey is not None
                assert journey["spans"] == sent
                if (
                    service in services[1::2]
                ):  # so that some digests have one commit and some have two
                    assert not digest_some(reader)
                journey = read_journey(reader, trace.trace_id.hex())
                assert journey is not None
                assert journey["spans"] == sent
            ((first, last),) = reader.execute(
                "select first_received, last_received from trace_digests where trace_id = $id",
                {"id": trace.trace_id.hex()},
            ).fetchall()
            assert first < last
    finally:
        store.close()
