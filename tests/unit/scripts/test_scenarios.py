"""Scenarios, as far as nothing has to run for them."""

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
def test_a_scenario_says_all_that_a_reader_is_told(name: str) -> None:
    """Who reports it, what reveals it, and the fix, each in a sentence."""
    found = scenarios.load(name)
    for said in (found.report, found.reveals, found.fix):
        assert said.endswith(".")
        assert len(said) > 20


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_is_not_found_where_there_is_nothing(name: str) -> None:
    """Neither in no trace, nor in one of a page that did nothing."""
    signature = scenarios.load(name).signature
    assert signature([]) is None
    assert signature([journey(row("1" * 16, None, "buy", service="page"))]) is None


def test_a_signature_that_fits_anothers_traces_is_a_false_match() -> None:
    """In its own it should be found, so those don't count."""

    def finds(what: str) -> Scenario:
        return Scenario(
            "a-fault",
            *("", "", ""),
            provoke=lambda context: Observation([], None),
            signature=lambda traces: what if what in [t["trace_id"] for t in traces] else None,
        )

    one, two = journey(trace_id="one"), journey(trace_id="two")
    known = {"first": finds("one"), "second": finds("two")}
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
def test_a_fault_shows_both_and_the_right_way_neither(
    fixed: bool, symptom: str | None, evidence: str | None, is_as_expected: bool
) -> None:
    """One of the two alone is a scenario that doesn't do what it says."""
    played = ScenarioRun("name", fixed, symptom, evidence, [], "url", 1.0)
    assert played.is_as_expected is is_as_expected
    said = played.as_json()
    assert (said["symptom_seen"], said["signature_found"]) == (bool(symptom), bool(evidence))


def test_an_invariant_that_should_hold_and_one_that_should_not_both_count() -> None:
    """A fault that harms nobody as it is said to is as wrong as one that does more."""
    lost: frozenset[Invariant] = frozenset({"no lost order"})
    twice: frozenset[Invariant] = frozenset({"no double charge"})
    played = ScenarioRun("name", False, "seen", "found", [], "url", 1.0, lost, lost)
    assert played.is_as_expected
    assert not replace(played, broken=lost | twice).is_as_expected
    assert not replace(played, broken=frozenset()).is_as_expected
    assert played.as_json()["invariants_broken"] == ["no lost order"]


def test_each_invariant_is_broken_by_some_fault() -> None:
    """So that there is one to see of each."""
    broken = {name for scenario in scenarios.load_all().values() for name in scenario.breaks}
    assert broken == set(get_args(Invariant))
