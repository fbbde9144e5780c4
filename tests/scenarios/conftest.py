"""Runs scenarios, each once for all tests that use its result."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from stack.scenario_runner import scenario as scenarios
from stack.scenario_runner.run import ScenarioRun, run_scenario
from tests.addresses import Addresses

PlayOnce = Callable[[str, bool], ScenarioRun]


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
