"""Runs every Python snippet of the tutorial on the traces of its page."""

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
SNIPPETS = [
    pytest.param(name, snippet, id=name)
    for name in scenarios.names()
    for snippet in snippets(scenario_page.FOLDER / f"{name}.md")
]


def run_on_traces(snippet: Snippet, result: ScenarioRun, observatory: Observatory) -> None:
    """Run a snippet on each trace of a scenario."""
    for journey in result.journeys:
        snippet.run(trace=Trace(journey), observatory=observatory)


def test_every_python_snippet_of_the_documentation_is_run_here() -> None:
    """Each scenario's page has one snippet, the plugin's page has two, and other pages none."""
    shown = chain.from_iterable(map(snippets, DOCUMENTS))
    pages = [scenario_page.FOLDER / f"{name}.md" for name in scenarios.names()]
    assert sorted(snippet.document for snippet in shown) == sorted([*pages, ON_TESTS, ON_TESTS])


@pytest.mark.parametrize(("name", "snippet"), SNIPPETS)
def test_the_snippet_of_a_scenario_passes_without_the_fault(
    name: str, snippet: Snippet, played: PlayOnce, observatory: Observatory
) -> None:
    run_on_traces(snippet, played(name, True), observatory)


@pytest.mark.parametrize(("name", "snippet"), SNIPPETS)
def test_the_snippet_of_a_scenario_fails_with_the_fault(
    name: str, snippet: Snippet, played: PlayOnce, observatory: Observatory
) -> None:
    """It fails on at least one trace, with a failed assertion and not another error."""
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_on_traces(snippet, played(name, False), observatory)


def test_the_test_of_a_purchase_passes(played: PlayOnce, whole_trace: WholeTrace) -> None:
    """It is the first snippet of the plugin's page, run on a purchase without a fault."""
    purchase, _ = snippets(ON_TESTS)
    trace_id = played("dropped-context", True).journeys[0]["trace_id"]
    test = cast(Callable[..., None], purchase.run()["test_a_purchase_is_one_trace"])
    test(buy_a_ticket=lambda: trace_id, whole_trace=whole_trace)


def test_the_plugin_is_loaded_as_documented(pytestconfig: pytest.Config) -> None:
    """tests/conftest.py loads it in the same way."""
    _, loading = snippets(ON_TESTS)
    (plugin,) = cast(list[str], loading.run()["pytest_plugins"])
    assert pytestconfig.pluginmanager.has_plugin(plugin)
