"""Takes the pictures of the scenarios' pages: the trace, with its decisive span selected."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect

from stack.clients.browser import browser
from stack.scenario_runner import scenario as scenarios
from tests import pictures
from tests.addresses import Addresses
from tests.scenarios.conftest import PlayOnce
from tests.scenarios.evidence import decisive_span


@pytest.mark.parametrize("name", scenarios.names())
def test_the_picture_of_a_scenario_can_be_taken(
    name: str, played: PlayOnce, addresses: Addresses, request: pytest.FixtureRequest
) -> None:
    """It is taken only with --pictures; tests/docs checks that it exists."""
    if not request.config.getoption("--pictures"):
        pytest.skip("runs only with --pictures")
    result = played(name, False)
    assert result.evidence, "the signature does not match, so there is no span to show"
    journey, row = decisive_span(scenarios.load(name).signature, result.journeys)
    address = f"{addresses.observatory}/traces/{journey['trace_id']}?span={row['span_id']}"
    with ThreadPoolExecutor(1) as alone:  # as in conftest.py
        alone.submit(take, address, pictures.FOLDER / f"{pictures.of_scenario(name)}.png").result()


def take(address: str, path: Path) -> None:
    """Take the picture of a trace with a selected span."""
    with browser() as chromium:
        page = pictures.new_page(chromium)
        page.goto(address)
        expect(page.get_by_role("row", selected=True)).to_be_in_viewport(timeout=30_000)
        expect(page.locator("#details-title")).to_be_visible()
        pictures.take(page, path)
