"""Scenarios, as far as nothing has to run for them."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import get_args

import pytest

from stack import running
from stack.commands import scenario as command
from stack.invariants import Invariant
from stack.rehearsal import scenario as scenarios
from stack.rehearsal.play import Played, false_matches
from stack.rehearsal.scenario import Scenario, Seen
from tests.unit.scripts.journeys import journey, row

NAMES = scenarios.names()


def test_the_command_and_who_plays_know_the_same_scenarios() -> None:
    """One file each; the command finds them without the packages that they take."""
    assert command.names() == NAMES
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


def test_without_a_stack_one_is_told_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, and nothing is set up."""
    monkeypatch.setattr(sys, "argv", ["scenario", "run", "late-webhook"])
    monkeypatch.setattr(running, "running", lambda folder: None)
    monkeypatch.setattr(running, "end_on_signals", lambda: None)
    assert command.main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "✗ No stack is running: start one with ./scripts/dev, and leave it running.\n"
    )


def test_a_signature_that_fits_anothers_traces_is_a_false_match() -> None:
    """In its own it should be found, so those don't count."""

    def finds(what: str) -> Scenario:
        return Scenario(
            "a-fault",
            *("", "", ""),
            provoke=lambda stage: Seen([], None),
            signature=lambda traces: what if what in [t["trace_id"] for t in traces] else None,
        )

    one, two = journey(trace_id="one"), journey(trace_id="two")
    known = {"first": finds("one"), "second": finds("two")}
    assert false_matches(known, {"first": [one], "second": [two]}) == []
    (wrong,) = false_matches(known, {"first": [one], "second": [two, one]})
    assert (wrong.signature, wrong.traces_of, wrong.evidence) == ("first", "second", "one")


@pytest.mark.parametrize(
    ("fixed", "symptom", "evidence", "as_it_should_be"),
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
    fixed: bool, symptom: str | None, evidence: str | None, as_it_should_be: bool
) -> None:
    """One of the two alone is a scenario that doesn't do what it says."""
    played = Played("name", fixed, symptom, evidence, [], "url", 1.0)
    assert played.as_it_should_be is as_it_should_be
    said = played.as_json()
    assert (said["symptom_seen"], said["signature_found"]) == (bool(symptom), bool(evidence))


def test_an_invariant_that_should_hold_and_one_that_should_not_both_count() -> None:
    """A fault that harms nobody as it is said to is as wrong as one that does more."""
    lost: frozenset[Invariant] = frozenset({"no lost order"})
    twice: frozenset[Invariant] = frozenset({"no double charge"})
    played = Played("name", False, "seen", "found", [], "url", 1.0, lost, lost)
    assert played.as_it_should_be
    assert not replace(played, broken=lost | twice).as_it_should_be
    assert not replace(played, broken=frozenset()).as_it_should_be
    assert played.as_json()["invariants_broken"] == ["no lost order"]


def test_each_invariant_is_broken_by_some_fault() -> None:
    """So that there is one to see of each."""
    broken = {name for scenario in scenarios.load_all().values() for name in scenario.breaks}
    assert broken == set(get_args(Invariant))
