"""The pictures of the scenarios' pages: the trace, at the span that tells what went wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect

from stack.clients.browser_purchase import browser
from stack.scenario_runner import scenario as scenarios
from tests import pictures
from tests.addresses import Addresses
from tests.scenarios.conftest import PlayOnce
from tests.scenarios.evidence import telling


@pytest.mark.parametrize("name", scenarios.names())
def test_the_picture_of_a_scenario(
    name: str, played: PlayOnce, addresses: Addresses, request: pytest.FixtureRequest
) -> None:
    """Taken when it is asked for; tests/docs looks whether it is there."""
    if not request.config.getoption("--pictures"):
        pytest.skip("pictures are renewed with --pictures")
    result = played(name, False)
    assert result.evidence, "there is nothing to take a picture of"
    journey, row = telling(scenarios.load(name).signature, result.journeys)
    address = f"{addresses.observatory}/traces/{journey['trace_id']}?span={row['span_id']}"
    with ThreadPoolExecutor(1) as alone:  # as in conftest.py
        alone.submit(take, address, pictures.FOLDER / f"{pictures.of_scenario(name)}.png").result()


def take(address: str, path: Path) -> None:
    """Take the picture of a trace with one of its spans chosen."""
    with browser() as chromium:
        page = pictures.new_page(chromium)
        page.goto(address)
        expect(page.get_by_role("row", selected=True)).to_be_in_viewport(timeout=30_000)
        expect(page.locator("#details-title")).to_be_visible()
        pictures.take(page, path)
