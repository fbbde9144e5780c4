"""The unusual steps of a trace, and the differences between two traces."""

import secrets
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observatory.journey.alignment import aligned
from observatory.schemas.comparison import Diff
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import (
    CLIENT,
    CONSUMER,
    ERROR,
    INTERNAL,
    SERVER,
    Trace,
    purchase,
)


def stuck(order_id: str) -> Trace:
    """Return a trace of an order whose charge is never settled."""
    trace = without(purchase(order_id), "order paid", "order ticketed")
    trace.spans = [each for each in trace.spans if each[0] not in ("settle", "issue")]
    return trace


def unusual_of(running: Running, trace: Trace) -> dict[str, Any]:
    response = running.http.get(f"/api/traces/{trace.trace_id.hex()}/unusual")
    assert response.status_code == 200, response.text
    unusual: dict[str, Any] = response.json()
    return unusual


def without(trace: Trace, *names: str) -> Trace:
    """Return the trace without the spans of these names."""
    trace.spans = [(service, span) for service, span in trace.spans if span.name not in names]
    return trace


def test_steps_that_nearly_all_other_traces_have_are_missing(running: Running) -> None:
    """An order that got stuck is compared with those that went on."""
    for number in range(12):
        running.send(purchase(f"order-{number}"))
    stopped = purchase("order-stopped")
    stopped.spans = [(s, span) for s, span in stopped.spans if s in ("page", "reserve")]
    without(stopped, "order charging", "order paid", "order ticketed")
    running.send(stopped)
    unusual = unusual_of(running, stopped)
    assert (unusual["compared_with"], unusual["same_state"]) == (12, False)
    missing = {(step["service"], step["hop"]) for step in unusual["missing"]}
    assert {("charge", "pubsub"), ("settle", "webhook"), ("issue", "pubsub")} <= missing
    assert all(step["usual_share"] == 1.0 for step in unusual["missing"])
    assert (unusual["repeated"], unusual["added"]) == ([], [])
    after = {(step["service"], step["name"]): step["after"] for step in unusual["missing"]}
    reserved = {"hop": None, "service": "reserve", "name": "send order-reserved"}
    assert after["charge", "charge"] == reserved
    assert after["settle", "settle"] == reserved  # its caller is missing too
    order = [(step["service"], step["name"]) for step in unusual["missing"]]
    assert order.index(("charge", "charge")) < order.index(("settle", "settle"))


def test_a_trace_is_compared_with_those_in_the_same_state(running: Running) -> None:
    """With enough other declined orders, a declined order does not lack the issuing of tickets."""
    for number in range(6):
        running.send(purchase(f"paid-{number}"))
        running.send(purchase(f"declined-{number}", decline=True))
    trace = purchase("declined", decline=True)
    charge = next(span for _, span in trace.spans if span.name == "charge")
    for begin in (900, 910):
        trace.span(
            "charge", "charge", CONSUMER, begin, begin + 5, charge, throughline__hop="pubsub"
        )
    trace.span("charge", "give up", INTERNAL, 920, 921, charge)
    running.send(trace)
    unusual = unusual_of(running, trace)
    assert (unusual["compared_with"], unusual["same_state"]) == (6, True)
    assert unusual["missing"] == []
    (repeated,) = unusual["repeated"]
    assert repeated == {
        "hop": "pubsub",
        "service": "charge",
        "name": "charge",
        "times": 3,
        "usual_times": 1,
    }
    (added,) = unusual["added"]
    assert (added["name"], added["usual_share"]) == ("give up", 0.0)


def test_a_stuck_trace_is_compared_with_good_ones_and_its_first_gap_is_the_cause(
    running: Running,
) -> None:
    """It does not matter that more traces are stuck. Steps after the first missing one follow."""
    for n in range(5):
        running.send(purchase(f"good-{n}"))
    traces = [stuck(f"stuck-{n}") for n in range(7)]
    for trace in traces:
        running.send(trace)
    unusual = unusual_of(running, traces[0])
    assert (unusual["compared_with"], unusual["same_state"]) == (5, False)
    assert unusual["weak_baseline"] is False
    causes = [step["name"] for step in unusual["missing"] if not step["follows"]]
    assert causes[0] == "settle"
    assert "issue" not in causes
    assert "issue" in {step["name"] for step in unusual["missing"]}


def test_a_baseline_of_broken_traces_is_called_weak(running: Running) -> None:
    """With too few good traces, all are compared, of which most failed here."""
    for n in range(2):
        running.send(purchase(f"good-{n}"))
    traces = [stuck(f"stuck-{n}") for n in range(7)]
    for trace in traces:
        running.send(trace)
    unusual = unusual_of(running, traces[0])
    assert (unusual["compared_with"], unusual["weak_baseline"]) == (8, True)


def test_fewer_than_five_other_traces_are_not_compared(running: Running) -> None:
    """The lists are then empty. A trace that is not stored is answered with 404."""
    for number in range(4):
        running.send(purchase(f"order-{number}"))
    trace = without(purchase("order-short"), "issue", "order ticketed")
    running.send(trace)
    unusual = unusual_of(running, trace)
    assert (unusual["compared_with"], unusual["missing"]) == (4, [])
    assert running.http.get(f"/api/traces/{'ab' * 16}/unusual").status_code == 404


def diff_of(running: Running, left: Trace, right: Trace) -> Diff:
    running.send(left)
    running.send(right)
    return running.client.diff(left.trace_id.hex(), right.trace_id.hex())


def sentence_of(diff: Diff) -> str:
    return "".join(part["text"] for part in diff["sentence"])


def test_equal_traces_have_only_the_same_steps(running: Running) -> None:
    """Every step of two equal orders is the same, and so are their durations."""
    diff = diff_of(running, purchase("order-1"), purchase("order-2"))
    assert {row["verdict"] for row in diff["rows"]} == {"same"}
    assert len(diff["rows"]) == 24
    assert len({row["key"] for row in diff["rows"]}) == 24
    assert sentence_of(diff) == "Both took about 2.33 s."
    assert (diff["left"]["order_id"], diff["right"]["order_state"]) == ("order-1", "ticketed")


def test_the_sentence_names_the_step_with_a_longer_wait(running: Running) -> None:
    """Wait and duration together make a step slower; the sentence says that it was the wait."""
    delayed = purchase("order-2")
    for service, span in delayed.spans:
        if service == "issue" or span.name == "order ticketed":
            span.start_time_unix_nano += 3_000_000_000
            span.end_time_unix_nano += 3_000_000_000
    diff = diff_of(running, purchase("order-1"), delayed)
    slower = [row for row in diff["rows"] if row["verdict"] == "slower"]
    assert [row["name"] for row in slower] == ["issue"]
    assert slower[0]["delta_ms"] == pytest.approx(3_000)
    assert sentence_of(diff) == (
        "The right one took 3.00 s longer (5.33 s against 2.33 s): 3.00 s longer waiting for issue."
    )


def test_steps_of_one_trace_are_missing_or_added(running: Running) -> None:
    """Steps of the left trace only are missing, those of the right one only are added."""
    right = without(purchase("order-2"), "send order-paid", "issue", "order ticketed")
    right.spans = [(s, span) for s, span in right.spans if s != "issue"]
    reserve = next(span for _, span in right.spans if span.name == "reserve")
    right.span("reserve", "look again", CLIENT, 471, 475, reserve)
    diff = diff_of(running, purchase("order-1"), right)
    verdicts = {row["name"]: row["verdict"] for row in diff["rows"]}
    assert (verdicts["issue"], verdicts["send order-paid"]) == ("missing", "missing")
    assert verdicts["look again"] == "added"
    names = [row["name"] for row in diff["rows"]]
    assert names.index("look again") == names.index("order reserved") + 1
    assert "lacks send order-paid of settle with 3 spans below it" in sentence_of(diff)
    assert "It has look again of reserve, which the left one lacks." in sentence_of(diff)


def test_a_step_without_its_parent_is_matched(running: Running) -> None:
    """When the sender's span is missing in one trace, the receiver is still the same step."""
    right = without(purchase("order-2"), "send order-reserved")
    diff = diff_of(running, purchase("order-1"), right)
    verdicts = {(row["service"], row["name"]): row["verdict"] for row in diff["rows"]}
    assert verdicts["reserve", "send order-reserved"] == "missing"
    # Its wait is unknown without the sender, so its verdict may differ.
    charge = next(row for row in diff["rows"] if row["name"] == "charge")
    assert charge["left"] is not None
    assert charge["right"] is not None
    assert verdicts["issue", "issue"] == "same"
    assert len(diff["rows"]) == 24


def test_the_sentence_names_a_step_that_failed_in_one_trace(running: Running) -> None:
    """It also says in which of the two traces the step failed."""
    right = purchase("order-2")
    issue = next(span for _, span in right.spans if span.name == "issue")
    issue.status.code = ERROR
    diff = diff_of(running, purchase("order-1"), right)
    assert "issue failed only on the right." in sentence_of(diff)


# For each span: the index of its parent (-1 or too large: none), its service and its name.
SpanSpecs = list[tuple[int, str, str]]
span_specs: st.SearchStrategy[SpanSpecs] = st.lists(
    st.tuples(st.integers(-1, 12), st.sampled_from("ab"), st.sampled_from("xyz")), max_size=12
)


def rows_of(specs: SpanSpecs) -> list[Any]:
    ids = [secrets.token_hex(8) for _ in specs]
    return [
        {
            "span_id": ids[number],
            "parent_span_id": ids[parent] if 0 <= parent < len(ids) else None,
            "service": service,
            "name": name,
            "hop": None,
            "indent": parent % 2,
            "offset_ms": float(number),
        }
        for number, (parent, service, name) in enumerate(specs)
    ]


@given(span_specs, span_specs)
@settings(max_examples=200, deadline=None)
def test_every_span_is_in_the_diff_once(left: SpanSpecs, right: SpanSpecs) -> None:
    """This holds with cycles of parents too. Only spans with the same name are paired."""
    left_rows, right_rows = rows_of(left), rows_of(right)
    pairs = list(aligned(left_rows, right_rows))
    for side, rows in (("left", left_rows), ("right", right_rows)):
        paired_ids = [getattr(pair, side)["span_id"] for pair in pairs if getattr(pair, side)]
        assert sorted(paired_ids) == sorted(row["span_id"] for row in rows)
    assert len({pair.key for pair in pairs}) == len(pairs)
    for pair in pairs:
        if pair.left and pair.right:
            assert pair.left["name"] == pair.right["name"]


@given(span_specs)
@settings(max_examples=100, deadline=None)
def test_a_trace_is_the_same_as_itself(specs: SpanSpecs) -> None:
    """Every span is paired with itself."""
    rows = rows_of(specs)
    assert all(pair.left is pair.right for pair in aligned(rows, rows))


def test_source_locations_are_read_from_current_and_former_attributes(running: Running) -> None:
    """A span without a file has no source location."""
    trace = Trace()
    top = trace.span(
        "charge", "charge", SERVER, 0, 9,
        code__file__path="boxoffice/charge.py", code__line__number=12,
        code__function__name="charge",
    )  # fmt: skip
    trace.span("charge", "old", INTERNAL, 1, 2, top, code__filepath="a.py", code__lineno=3)
    trace.span("charge", "none", INTERNAL, 2, 3, top, code__line__number=3)
    running.send(trace)
    rows = running.client.trace(trace.trace_id.hex())["rows"]
    assert [row["source"] for row in rows] == [
        {"file": "boxoffice/charge.py", "line": 12, "function": "charge"},
        {"file": "a.py", "line": 3, "function": None},
        None,
    ]
    health = running.client.health()
    assert health["editor"] == "vscode://file/{path}:{line}"
    assert health["source_root"].startswith("/")
