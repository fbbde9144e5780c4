"""Every piece of Python that the tutorial shows is run, on the traces that its page is about."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import cast

import pytest

from observatory.client import Observatory
from stack.scenario_runner import scenario as scenarios
from stack.scenario_runner.run import ScenarioRun
from tests.docs import scenario_page
from tests.docs.markdown import ROOT, Snippet, checkout, snippets
from tests.scenarios.conftest import PlayOnce
from tests.trace_plugin import Trace, WholeTrace

DOCUMENTS = checkout("docs/*.md", "docs/**/*.md")
ON_TESTS = ROOT / "docs" / "trace-tests.md"
NOTICING = [
    pytest.param(name, snippet, id=name)
    for name in scenarios.names()
    for snippet in snippets(scenario_page.FOLDER / f"{name}.md")
]


def hold(snippet: Snippet, result: ScenarioRun, observatory: Observatory) -> None:
    """Run it on each of the traces that a scenario left."""
    for journey in result.journeys:
        snippet.run(trace=Trace(journey), observatory=observatory)


def test_no_python_is_shown_that_is_not_run() -> None:
    """Each scenario's page has its test of a trace, and no other page has any but the plugin's."""
    shown = chain.from_iterable(map(snippets, DOCUMENTS))
    pages = [scenario_page.FOLDER / f"{name}.md" for name in scenarios.names()]
    assert sorted(snippet.document for snippet in shown) == sorted([*pages, ON_TESTS, ON_TESTS])


@pytest.mark.parametrize(("name", "snippet"), NOTICING)
def test_what_would_notice_a_fault_holds_the_right_way(
    name: str, snippet: Snippet, played: PlayOnce, observatory: Observatory
) -> None:
    """In each of the traces that come of the same."""
    hold(snippet, played(name, True), observatory)


@pytest.mark.parametrize(("name", "snippet"), NOTICING)
def test_what_would_notice_a_fault_does(
    name: str, snippet: Snippet, played: PlayOnce, observatory: Observatory
) -> None:
    """In one of the traces at least, and by saying what isn't so: it does not break."""
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        hold(snippet, played(name, False), observatory)


def test_the_test_of_a_purchase_passes(played: PlayOnce, whole_trace: WholeTrace) -> None:
    """The one that the plugin's page begins with; a purchase the right way is what it is about."""
    purchase, _ = snippets(ON_TESTS)
    trace_id = played("dropped-context", True).journeys[0]["trace_id"]
    test = cast(Callable[..., None], purchase.run()["test_a_purchase_is_one_trace"])
    test(buy_a_ticket=lambda: trace_id, whole_trace=whole_trace)


def test_the_plugin_is_loaded_as_its_page_says(pytestconfig: pytest.Config) -> None:
    """By what tests/conftest.py has in it, which loaded it for this very test."""
    _, loading = snippets(ON_TESTS)
    (plugin,) = cast(list[str], loading.run()["pytest_plugins"])
    assert pytestconfig.pluginmanager.has_plugin(plugin)
