"""Checks the indexes of all queries that the tests have run so far.

The file is named so that it runs after the scenarios, and includes their queries.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from observatory.client import Observatory
from stack import index_check, paths
from stack.deploy import recorded_queries
from stack.scenario_runner.browser_actions import open_page
from stack.scenario_runner.scenario_context import scenario_context
from tests.addresses import Addresses

RECORDED = paths.ROOT / recorded_queries.FILE
# Of the fault denial-looks-empty: the page does not record that a flag was evaluated.
DENIED_QUERY = "orders order by placed_at desc limit ?"
PAGE_QUERIES = {
    "orders where uid == ? order by placed_at desc limit ?",
    "shows order by rank asc",
    "tickets where uid == ? order by issued_at desc limit ?",
}


@pytest.fixture
def _page_opened(addresses: Addresses, observatory: Observatory) -> None:
    """Opens the page, so that its queries are recorded even if no other test ran."""

    def visit() -> None:
        with scenario_context(addresses) as context, open_page(context.page_address()) as page:
            page.locator("[data-show-id]").first.wait_for()
            context.wait_until(
                lambda: {query.text for query in index_check.queries(observatory)} >= PAGE_QUERIES
            )

    # In a separate thread: Playwright allows only one browser in each thread.
    with ThreadPoolExecutor(1) as alone:
        alone.submit(visit).result()


@pytest.mark.usefixtures("_page_opened")
def test_every_query_that_ran_has_its_index(observatory: Observatory) -> None:
    """Queries of faults are the exception; production would reject a query without its index."""
    queries = index_check.queries(observatory)
    assert {query.text for query in queries} >= PAGE_QUERIES
    assert [query for query in queries if query.missing] == []


@pytest.mark.usefixtures("_page_opened")
def test_every_query_that_ran_is_recorded(observatory: Observatory) -> None:
    """A deployment is checked against the recorded queries: ./scripts/indexes --record adds one."""
    recorded = {query for _, query in recorded_queries.read(RECORDED.read_text())}
    ran = {query.text for query in index_check.queries(observatory)}
    assert ran - {DENIED_QUERY} <= recorded
