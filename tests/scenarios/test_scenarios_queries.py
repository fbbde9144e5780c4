"""The queries of everything that the tests had run so far, held against the indexes.

After the scenarios, so that theirs are among them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from observatory.client import Observatory
from stack import index_check
from stack.scenario_runner.browser_actions import open_page
from stack.scenario_runner.scenario_context import scenario_context
from tests.addresses import Addresses

PAGE_QUERIES = {
    "orders where uid == ? order by placed_at desc limit ?",
    "shows order by rank asc",
    "tickets where uid == ? order by issued_at desc limit ?",
}


@pytest.fixture
def _pages_seen(addresses: Addresses, observatory: Observatory) -> None:
    """Somebody has opened the page, so that there are queries whatever ran before."""

    def visit() -> None:
        with scenario_context(addresses) as context, open_page(context.page_address()) as page:
            page.locator("[data-show-id]").first.wait_for()
            context.wait_until(
                lambda: {asked.text for asked in index_check.queries(observatory)} >= PAGE_QUERIES
            )

    # In a thread of its own: Playwright refuses a second browser where the other tests' is open.
    with ThreadPoolExecutor(1) as alone:
        alone.submit(visit).result()


@pytest.mark.usefixtures("_pages_seen")
def test_every_query_that_ran_has_its_index(observatory: Observatory) -> None:
    """But for those of bugs on purpose: production would refuse what the emulator answered."""
    found = index_check.queries(observatory)
    assert {asked.text for asked in found} >= PAGE_QUERIES
    assert [asked for asked in found if asked.missing] == []
