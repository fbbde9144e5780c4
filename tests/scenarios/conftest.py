"""Run each scenario once for all tests that examine its result; most scenarios are `long` tests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stack.scenario_runner import scenario as scenarios
from stack.scenario_runner.run import ScenarioRun, run_scenario
from tests.addresses import Addresses
from tests.docs import scenario_page
from tests.docs.markdown import Command

PlayOnce = Callable[[str, bool], ScenarioRun]

# The fast suite runs a scenario of each kind: a fault of the page, one of a function, a repeated
# delivery, and a fault that only shows under a platform condition.
FAST = ("denial-looks-empty", "dropped-context", "duplicate-delivery", "missing-index")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that run any other scenario as `long`, before pytest selects by marker."""
    for item in items:
        if item.path.parent == Path(__file__).parent and not scenarios_of(item) <= set(FAST):
            item.add_marker(pytest.mark.long)


def scenarios_of(item: pytest.Item) -> set[str]:
    """Return the scenarios that a test's parameters make it run."""
    all_names = {*scenarios.names()}
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    names = {parameters.get("name")}
    command = parameters.get("command")
    if isinstance(command, Command):
        document: Path = parameters["document"]
        if document.parent == scenario_page.FOLDER:
            names.add(document.stem)
        if command.words[:2] == ["./scripts/scenario", "run"]:
            names |= {word for word in command.words[2:] if not word.startswith("-")} or all_names
    return {name for name in names if name in all_names}


@pytest.fixture(scope="session")
def played(addresses: Addresses) -> PlayOnce:
    """Runs a scenario, with its fault or fixed, the first time, and returns its result."""
    results: dict[tuple[str, bool], ScenarioRun] = {}

    def once(name: str, fixed: bool) -> ScenarioRun:
        key = (name, fixed)
        if key not in results:
            # In a separate thread: a scenario may start a browser, and Playwright allows only one
            # in each thread; that of the other tests may still be open.
            with ThreadPoolExecutor(1) as alone:
                playing = alone.submit(
                    run_scenario, addresses, name, scenarios.load(name), fixed=fixed
                )
                results[key] = playing.result()
        return results[key]

    return once
