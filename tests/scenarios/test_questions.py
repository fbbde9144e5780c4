"""Tests that the queries on a scenario's page find that scenario's traces."""

from __future__ import annotations

import pytest

from observatory.client import Observatory
from tests.docs import scenario_page
from tests.scenarios.conftest import PlayOnce

PAGES = [scenario_page.read(name) for name in scenario_page.names()]
FILTERS = [(page.name, text) for page in PAGES for text in page.filters]
STATEMENTS = [(page.name, text) for page in PAGES for text in page.statements]


@pytest.mark.parametrize(("name", "text"), FILTERS)
def test_the_filter_of_a_page_finds_a_trace_of_its_scenario(
    name: str, text: str, played: PlayOnce, observatory: Observatory
) -> None:
    ids = [journey["trace_id"] for journey in played(name, False).journeys]
    matching_ids = [
        trace_id
        for trace_id in ids
        if observatory.traces(text=f'({text}) and trace = "{trace_id}"')["traces"]
    ]
    assert matching_ids, f"the filter {text!r} matches none of the traces {ids}"


@pytest.mark.parametrize(("name", "sql"), STATEMENTS)
def test_the_sql_of_a_page_returns_rows(
    name: str, sql: str, played: PlayOnce, observatory: Observatory
) -> None:
    played(name, False)
    assert observatory.ask(sql)["rows"], sql
