"""Every scenario, with its fault and the right way; and every signature against all others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stack.scenario_runner import scenario as scenarios
from stack.scenario_runner.run import ScenarioRun, false_matches
from tests.scenarios.conftest import FAST, PlayOnce
from tests.trace_plugin import Trace, picture

NAMES = scenarios.names()


def shown(result: ScenarioRun) -> str:
    """What a failure says: what was seen, and the traces."""
    seen = f"{result.name}: symptom {result.symptom!r}, signature {result.evidence!r}"
    return "\n".join([seen, *(picture(journey) for journey in result.journeys[:2])])


@pytest.mark.parametrize("name", NAMES)
def test_with_the_fault_the_symptom_is_real_and_the_trace_reveals_it(
    name: str, played: PlayOnce
) -> None:
    """As a user would report it, and as nothing else would show."""
    result = played(name, False)
    assert result.symptom, shown(result)
    assert result.evidence, shown(result)


@pytest.mark.parametrize("name", NAMES)
def test_the_right_way_shows_neither(name: str, played: PlayOnce) -> None:
    """The same is provoked, and nothing comes of it; and the traces hold together."""
    result = played(name, True)
    assert result.symptom is None, shown(result)
    assert result.evidence is None, shown(result)
    for journey in result.journeys:
        Trace(journey).no_orphans()


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_breaks_the_invariants_that_it_is_known_to_break(
    name: str, played: PlayOnce
) -> None:
    """Those, no other, and none the right way; most faults break none and are bad enough."""
    assert played(name, False).broken == scenarios.load(name).breaks
    assert played(name, True).broken == frozenset()


@pytest.mark.parametrize(
    "names", [FAST, pytest.param(NAMES, marks=pytest.mark.long)], ids=["fast", "all"]
)
@pytest.mark.parametrize("fixed", [False, True], ids=["with the fault", "the right way"])
def test_each_signature_tells_its_own_fault_from_all_others(
    fixed: bool, names: Sequence[str], played: PlayOnce
) -> None:
    """Held against the traces of every other scenario, it finds nothing."""
    traces = {name: played(name, fixed).journeys for name in names}
    assert false_matches(scenarios.load_all(), traces) == []


def test_the_right_way_issues_each_order_once(played: PlayOnce) -> None:
    """Though a message came twice: one path from the page to the tickets, one move to them."""
    trace = Trace(played("duplicate-delivery", True).journeys[0])
    trace.path("page", "reserve", "charge", "settle", "issue")
    trace.exactly(2, "charge", "charge")
    trace.one("issue", "issue", **{"boxoffice.nothing_to_do": None})
    trace.no_orphans()
