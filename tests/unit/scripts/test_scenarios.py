"""Tests of the scenarios that need no stack."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from stack.invariants import Invariant
from stack.scenario_runner import scenario as scenarios
from stack.scenario_runner.run import ScenarioRun, false_matches
from stack.scenario_runner.scenario import Observation, Scenario
from tests.unit.scripts.journeys import journey, row

NAMES = scenarios.names()


def test_there_are_scenarios() -> None:
    """Guards against collecting no tests below."""
    assert len(NAMES) > 10


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_has_a_report_what_reveals_it_and_a_fix(name: str) -> None:
    """Each is a full sentence."""
    scenario = scenarios.load(name)
    for text in (scenario.report, scenario.reveals, scenario.fix):
        assert text.endswith(".")
        assert len(text) > 20


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_does_not_match_no_traces_or_a_trivial_one(name: str) -> None:
    signature = scenarios.load(name).signature
    assert signature([]) is None
    assert signature([journey(row("1" * 16, None, "buy", service="page"))]) is None


def test_a_signature_that_matches_another_scenarios_traces_is_a_false_match() -> None:
    """A match in its own traces is expected."""

    def matching(wanted_id: str) -> Scenario:
        return Scenario(
            "a-fault",
            *("", "", ""),
            provoke=lambda context: Observation([], None),
            signature=lambda traces: (
                wanted_id if wanted_id in [t["trace_id"] for t in traces] else None
            ),
        )

    one, two = journey(trace_id="one"), journey(trace_id="two")
    known = {"first": matching("one"), "second": matching("two")}
    assert false_matches(known, {"first": [one], "second": [two]}) == []
    (wrong,) = false_matches(known, {"first": [one], "second": [two, one]})
    assert (wrong.signature, wrong.traces_of, wrong.evidence) == ("first", "second", "one")


@pytest.mark.parametrize(
    ("fixed", "symptom", "evidence", "is_as_expected"),
    [
        (False, "seen", "found", True),
        (False, "seen", None, False),
        (False, None, "found", False),
        (False, None, None, False),
        (True, None, None, True),
        (True, "seen", None, False),
        (True, None, "found", False),
        (True, "seen", "found", False),
    ],
)
def test_a_run_is_as_expected_with_both_symptom_and_evidence_or_fixed_with_neither(
    fixed: bool, symptom: str | None, evidence: str | None, is_as_expected: bool
) -> None:
    run = ScenarioRun("name", fixed, symptom, evidence, [], "url", 1.0)
    assert run.is_as_expected is is_as_expected
    fields = run.as_json()
    assert (fields["symptom_seen"], fields["signature_found"]) == (bool(symptom), bool(evidence))


def test_a_run_is_as_expected_only_if_exactly_the_expected_invariants_are_broken() -> None:
    lost: frozenset[Invariant] = frozenset({"no lost order"})
    twice: frozenset[Invariant] = frozenset({"no double charge"})
    run = ScenarioRun("name", False, "seen", "found", [], "url", 1.0, lost, lost)
    assert run.is_as_expected
    assert not replace(run, broken=lost | twice).is_as_expected
    assert not replace(run, broken=frozenset()).is_as_expected
    assert run.as_json()["invariants_broken"] == ["no lost order"]


def test_each_invariant_is_broken_by_some_fault() -> None:
    broken = {name for scenario in scenarios.load_all().values() for name in scenario.breaks}
    assert broken == set(get_args(Invariant))
