"""Tests of every scenario, with its fault and fixed, and of its signature on all other traces."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stack.scenario_runner import scenario as scenarios
from stack.scenario_runner.run import ScenarioRun, false_matches
from tests.scenarios.conftest import FAST, PlayOnce
from tests.trace_plugin import Trace, picture

NAMES = scenarios.names()


def shown(result: ScenarioRun) -> str:
    """Return the message of a failed assertion: the result, and the first traces."""
    summary = f"{result.name}: symptom {result.symptom!r}, signature {result.evidence!r}"
    return "\n".join([summary, *(picture(journey) for journey in result.journeys[:2])])


@pytest.mark.parametrize("name", NAMES)
def test_with_the_fault_the_symptom_occurs_and_the_traces_reveal_it(
    name: str, played: PlayOnce
) -> None:
    result = played(name, False)
    assert result.symptom, shown(result)
    assert result.evidence, shown(result)


@pytest.mark.parametrize("name", NAMES)
def test_fixed_there_is_no_symptom_and_no_evidence(name: str, played: PlayOnce) -> None:
    """The traces have no orphans either."""
    result = played(name, True)
    assert result.symptom is None, shown(result)
    assert result.evidence is None, shown(result)
    for journey in result.journeys:
        Trace(journey).no_orphans()


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_breaks_exactly_its_declared_invariants(name: str, played: PlayOnce) -> None:
    """Without the fault, all invariants hold."""
    assert played(name, False).broken == scenarios.load(name).breaks
    assert played(name, True).broken == frozenset()


@pytest.mark.parametrize(
    "names", [FAST, pytest.param(NAMES, marks=pytest.mark.long)], ids=["fast", "all"]
)
@pytest.mark.parametrize("fixed", [False, True], ids=["with the fault", "fixed"])
def test_no_signature_matches_the_traces_of_another_scenario(
    fixed: bool, names: Sequence[str], played: PlayOnce
) -> None:
    traces = {name: played(name, fixed).journeys for name in names}
    assert false_matches(scenarios.load_all(), traces) == []


def test_without_the_fault_a_duplicated_message_issues_the_order_once(played: PlayOnce) -> None:
    """There are two invocations of charge, and one move to ticketed."""
    trace = Trace(played("duplicate-delivery", True).journeys[0])
    trace.path("page", "reserve", "charge", "settle", "issue")
    trace.exactly(2, "charge", "charge")
    trace.one("issue", "issue", **{"boxoffice.skipped": None})
    trace.no_orphans()
