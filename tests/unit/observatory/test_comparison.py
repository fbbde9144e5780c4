"""A trace beside others: its usual shape, and two traces step by step."""

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


def unusual_of(running: Running, trace: Trace) -> dict[str, Any]:
    answer = running.http.get(f"/api/traces/{trace.trace_id.hex()}/unusual")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def without(trace: Trace, *names: str) -> Trace:
    """The trace with the spans of these names lost."""
    trace.spans = [(service, span) for service, span in trace.spans if span.name not in names]
    return trace


def test_what_nearly_all_others_have_is_missing(running: Running) -> None:
    """An order that stopped is held against those that went on; what they all have is named."""
    for number in range(12):
        running.send(purchase(f"order-{number}"))
    stopped = purchase("order-stopped")
    stopped.spans = [(s, span) for s, span in stopped.spans if s in ("page", "reserve")]
    without(stopped, "order charging", "order paid", "order ticketed")
    running.send(stopped)
    found = unusual_of(running, stopped)
    assert (found["compared_with"], found["same_state"]) == (12, False)
    missing = {(one["service"], one["hop"]) for one in found["missing"]}
    assert {("charge", "pubsub"), ("settle", "webhook"), ("issue", "pubsub")} <= missing
    assert all(one["usual_share"] == 1.0 for one in found["missing"])
    assert (found["repeated"], found["added"]) == ([], [])
    after = {(one["service"], one["name"]): one["after"] for one in found["missing"]}
    reserved = {"hop": None, "service": "reserve", "name": "send order-reserved"}
    assert after["charge", "charge"] == reserved
    assert after["settle", "settle"] == reserved  # what called it is missing too
    order = [(one["service"], one["name"]) for one in found["missing"]]
    assert order.index(("charge", "charge")) < order.index(("settle", "settle"))


def test_the_state_an_order_came_to_is_not_unusual(running: Running) -> None:
    """Where enough orders were declined, a declined one isn't said to lack its tickets."""
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
    found = unusual_of(running, trace)
    assert (found["compared_with"], found["same_state"]) == (6, True)
    assert found["missing"] == []
    (repeated,) = found["repeated"]
    assert repeated == {
        "hop": "pubsub",
        "service": "charge",
        "name": "charge",
        "times": 3,
        "usual_times": 1,
    }
    (added,) = found["added"]
    assert (added["name"], added["usual_share"]) == ("give up", 0.0)


def test_few_others_say_nothing(running: Running) -> None:
    """With fewer than five others nothing is called usual; a trace that isn't there is a 404."""
    for number in range(4):
        running.send(purchase(f"order-{number}"))
    trace = without(purchase("order-short"), "issue", "order ticketed")
    running.send(trace)
    found = unusual_of(running, trace)
    assert (found["compared_with"], found["missing"]) == (4, [])
    assert running.http.get(f"/api/traces/{'ab' * 16}/unusual").status_code == 404


def diff_of(running: Running, left: Trace, right: Trace) -> Diff:
    running.send(left)
    running.send(right)
    return running.client.diff(left.trace_id.hex(), right.trace_id.hex())


def said(diff: Diff) -> str:
    return "".join(piece["text"] for piece in diff["sentence"])


def test_the_same_steps_are_found_in_both(running: Running) -> None:
    """Two orders that went the same way have the same steps, and nothing to say."""
    diff = diff_of(running, purchase("order-1"), purchase("order-2"))
    assert {row["verdict"] for row in diff["rows"]} == {"same"}
    assert len(diff["rows"]) == 24
    assert len({row["key"] for row in diff["rows"]}) == 24
    assert said(diff) == "Both took about 2.33 s."
    assert (diff["left"]["order_id"], diff["right"]["order_state"]) == ("order-1", "ticketed")


def test_a_longer_wait_is_told_as_a_wait(running: Running) -> None:
    """The step that waited is slower by wait and duration together, and the sentence says which."""
    late = purchase("order-2")
    for service, span in late.spans:
        if service == "issue" or span.name == "order ticketed":
            span.start_time_unix_nano += 3_000_000_000
            span.end_time_unix_nano += 3_000_000_000
    diff = diff_of(running, purchase("order-1"), late)
    slower = [row for row in diff["rows"] if row["verdict"] == "slower"]
    assert [row["name"] for row in slower] == ["issue"]
    assert slower[0]["delta_ms"] == pytest.approx(3_000)
    assert said(diff) == (
        "The right one took 3.00 s longer (5.33 s against 2.33 s): 3.00 s longer waiting for issue."
    )


def test_steps_of_one_side_are_missing_or_added(running: Running) -> None:
    """What only the left has is missing, what only the right has is added, in their places."""
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
    assert "lacks send order-paid of settle with 3 spans below it" in said(diff)
    assert "It has look again of reserve, which the left one doesn't." in said(diff)


def test_a_step_whose_context_was_lost_is_found_where_it_went(running: Running) -> None:
    """When the sender's span is lost on one side, the receiver is still held against the same."""
    right = without(purchase("order-2"), "send order-reserved")
    diff = diff_of(running, purchase("order-1"), right)
    verdicts = {(row["service"], row["name"]): row["verdict"] for row in diff["rows"]}
    assert verdicts["reserve", "send order-reserved"] == "missing"
    # Its wait can't be told any more, so that alone may differ.
    charge = next(row for row in diff["rows"] if row["name"] == "charge")
    assert charge["left"] is not None
    assert charge["right"] is not None
    assert verdicts["issue", "issue"] == "same"
    assert len(diff["rows"]) == 24


def test_a_failure_of_one_side_is_said(running: Running) -> None:
    """A step that failed only on one side is named."""
    right = purchase("order-2")
    issue = next(span for _, span in right.spans if span.name == "issue")
    issue.status.code = ERROR
    diff = diff_of(running, purchase("order-1"), right)
    assert "issue failed only on the right." in said(diff)


Shape = list[tuple[int, str, str]]
shapes: st.SearchStrategy[Shape] = st.lists(
    st.tuples(st.integers(-1, 12), st.sampled_from("ab"), st.sampled_from("xyz")), max_size=12
)


def rows_of(shape: Shape) -> list[Any]:
    ids = [secrets.token_hex(8) for _ in shape]
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
        for number, (parent, service, name) in enumerate(shape)
    ]


@given(shapes, shapes)
@settings(max_examples=200, deadline=None)
def test_every_span_is_in_the_diff_once(left: Shape, right: Shape) -> None:
    """Whatever the two traces look like, circles of parents included, nothing is lost or doubled,
    and only what is alike stands side by side."""
    on_left, on_right = rows_of(left), rows_of(right)
    pairs = list(aligned(on_left, on_right))
    for side, rows in (("left", on_left), ("right", on_right)):
        found = [getattr(pair, side)["span_id"] for pair in pairs if getattr(pair, side)]
        assert sorted(found) == sorted(row["span_id"] for row in rows)
    assert len({pair.key for pair in pairs}) == len(pairs)
    for pair in pairs:
        if pair.left and pair.right:
            assert pair.left["name"] == pair.right["name"]


@given(shapes)
@settings(max_examples=100, deadline=None)
def test_a_trace_is_the_same_as_itself(shape: Shape) -> None:
    """Beside itself, every span finds itself."""
    rows = rows_of(shape)
    assert all(pair.left is pair.right for pair in aligned(rows, rows))


def test_source_lines_are_told_by_todays_and_yesterdays_names(running: Running) -> None:
    """A span's file, line and function are found; one without a file has no source."""
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
