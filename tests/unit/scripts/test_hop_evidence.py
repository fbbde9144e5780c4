"""Tests of the evidence for each hop in traces, and of the report of missing evidence."""

from __future__ import annotations

from typing import Any, cast

import pytest

from observatory.client import Observatory
from observatory.schemas.journey import Journey, Row
from stack.hops.crossing import describe_failures, table, with_detached_traces
from stack.hops.hop_drivers import HopRun
from stack.hops.hop_evidence import HOPS, evidence_in
from tests.unit.scripts.journeys import BEGAN_UNIX_NANO, journey, line, link, row


def test_a_wait_starts_at_the_producers_end() -> None:
    """The summary has the median."""
    rows = [row("a", None, "send", kind="PRODUCER", at=0, took=10, service="reserve")]
    for name, at in (("b", 40), ("c", 20), ("d", 30)):
        rows.append(row(name, "a", "charge", hop="pubsub", at=at))
    evidence = evidence_in([journey(*rows)])["pubsub"]
    assert evidence.carried
    assert evidence.summary() == {
        "carried": True,
        "joined_as": "parent",
        "p50_ms": 20.0,
        "trace_id": "1" * 32,
    }


@pytest.mark.parametrize(
    ("kind", "took"), [("CLIENT", 10), ("PRODUCER", 90)], ids=["no producer", "ended later"]
)
def test_without_a_producer_that_ended_a_wait_starts_at_the_parents_start(
    kind: str, took: float
) -> None:
    parent = row("a", None, "POST /charges", kind=kind, at=5, took=took)
    settle = row("b", "a", "settle", hop="webhook", at=45)
    evidence = evidence_in([journey(parent, settle)])["webhook"]
    assert evidence.summary()["p50_ms"] == 40.0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"context": "absent", "parent_span_id": None}, "the context of expire is absent"),
        (
            {
                "context": "invalid",
                "parent_span_id": None,
                "attributes": {"throughline.context.reason": "traceparent is malformed"},
            },
            "the context of expire is invalid (traceparent is malformed)",
        ),
        ({"parent_span_id": "gone", "covered": False}, "the parent of expire is not stored"),
        ({"parent_span_id": None}, "the parent of expire is not named"),
        ({"covered": False}, "expire does not reach a root"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_crossing_without_context_means_that_the_hop_is_not_carried(
    changes: dict[str, Any], reason: str
) -> None:
    """The summary has the trace of that crossing, and the failure line has the reason."""
    good = journey(row("a", None, "send"), row("b", "a", "expire", hop="task"))
    lost: Row = {**row("b", "a", "expire", hop="task"), **changes}  # type: ignore[typeddict-item]
    bad = journey(row("a", None, "send"), lost, trace_id="2" * 32)
    evidence = evidence_in([good, bad])
    assert not evidence["task"].carried
    assert evidence["task"].summary()["trace_id"] == "2" * 32
    (failure,) = (text for text in describe_failures(evidence, "http://here") if "task" in text)
    assert failure.startswith(f"✗ task: {reason}") or reason in failure
    assert failure.endswith(f"http://here/traces/{'2' * 32}")
    assert ["task", "NO"] in [text.split()[:2] for text in table(evidence).splitlines()]


def test_a_hop_that_was_never_crossed_is_not_carried() -> None:
    """Every hop of the contract is in the evidence, even without traces."""
    evidence = evidence_in([])
    assert list(evidence) == list(HOPS)
    assert len(describe_failures(evidence, "http://here")) == 15
    assert evidence["auth"].summary() == {
        "carried": False,
        "joined_as": None,
        "p50_ms": None,
        "trace_id": None,
    }


@pytest.mark.parametrize(("hop", "wait_ms"), [("document", 30.0), ("vendor", 12.0)])
def test_a_senders_hop_is_carried_only_with_a_child_in_another_service(
    hop: str, wait_ms: float
) -> None:
    sent = row("a", None, "write", hop=hop, at=0, took=30)
    same_service = row("b", "a", "own child", at=3)
    assert not evidence_in([journey(sent, same_service)])[hop].carried
    receiver = row("c", "a", "receiver", at=12, service="other")
    evidence = evidence_in([journey(sent, same_service, receiver)])[hop]
    assert (evidence.carried, evidence.summary()["p50_ms"]) == (True, wait_ms)


def swept(**changes: Any) -> Journey:
    """Return the trace of a sweep that resumed one order."""
    sweep = row("a", None, "sweep", hop="schedule", at=2)
    declared = {"root": "schedule", "context": "absent", "links": [link(stored=True)]}
    return journey({**sweep, **declared, **changes})  # type: ignore[typeddict-item]


def test_a_schedule_must_be_a_declared_root_that_links_a_stored_order() -> None:
    """Its wait starts when it was fired."""
    fired = {"schedule": 1_000_000_000_000 - 5_000_000}
    evidence = evidence_in([swept()], fired)["schedule"]
    assert (evidence.carried, evidence.summary()["joined_as"]) == (True, "link")
    assert evidence.summary()["p50_ms"] == 7.0
    unproven: list[dict[str, Any]] = [
        {"links": []},
        {"links": [link(stored=False)]},
        {"root": None},
    ]
    for changes in unproven:
        assert not evidence_in([swept(**changes)])["schedule"].carried


def test_a_users_creation_must_be_a_declared_root_that_a_later_action_links() -> None:
    declared = {"root": "auth", "context": "absent"}
    welcome: Row = {**row("4" * 16, None, "welcome", hop="auth"), **declared}  # type: ignore[typeddict-item]
    welcomed = journey(welcome, trace_id="3" * 32)
    unlinked = evidence_in([welcomed])["auth"]
    assert (unlinked.carried, unlinked.summary()["joined_as"]) == (False, "root")
    quote: Row = {**row("a", None, "quote"), "links": [link(stored=True)]}
    evidence = evidence_in([welcomed, journey(quote)])["auth"]
    assert (evidence.carried, evidence.summary()["joined_as"]) == (True, "link")


def test_a_log_line_must_belong_to_a_stored_span() -> None:
    logged: Row = {**row("a", None, "reserve", at=5), "logs": [line(at=9)]}
    assert evidence_in([journey(logged)])["log"].summary()["p50_ms"] == 4.0
    lost: Journey = {**journey(logged), "logs": [line(at=9)]}
    assert not evidence_in([lost])["log"].carried


class FewTraces:
    """A fake Observatory with these traces."""

    def __init__(self, *journeys: Journey) -> None:
        self._journeys = {journey["trace_id"]: journey for journey in journeys}

    def traces(self, _limit: int) -> dict[str, Any]:
        """Return all traces."""
        return {"traces": list(self._journeys.values())}

    def trace(self, trace_id: str) -> Journey:
        """Return one trace."""
        return self._journeys[trace_id]


@pytest.mark.parametrize(("began_unix_nano", "is_shown"), [(0, True), (2 * BEGAN_UNIX_NANO, False)])
def test_a_detached_trace_of_the_run_is_reported_and_not_carried(
    began_unix_nano: int, is_shown: bool
) -> None:
    """A root that belongs to no request of the run, if it started during the run."""
    lost: Row = {**row("a", None, "availability", hop="https"), "context": "absent"}
    fine = row("b", None, "quote", hop="callable")
    stored = cast("Observatory", FewTraces(journey(lost, fine, trace_id="2" * 32)))
    run = HopRun(began_unix_nano=began_unix_nano)
    evidence_by_hop = with_detached_traces(evidence_in([]), stored, run)
    failures = describe_failures(evidence_by_hop, "http://here")
    lines = [text for text in failures if text.startswith("✗ https")]
    assert ("the context of availability is absent" in lines[0]) is is_shown
    assert not any(evidence.carried for evidence in evidence_by_hop.values())
