"""The question that a scenario's page puts to the Observatory has that scenario for an answer."""

from __future__ import annotations

import pytest

from observatory.client import Observatory
from tests.docs import scenario_page
from tests.scenarios.conftest import PlayOnce

PAGES = [scenario_page.read(name) for name in scenario_page.names()]
FILTERS = [(page.name, text) for page in PAGES for text in page.filters]
STATEMENTS = [(page.name, text) for page in PAGES for text in page.statements]


@pytest.mark.parametrize(("name", "text"), FILTERS)
def test_its_filter_finds_the_trace(
    name: str, text: str, played: PlayOnce, observatory: Observatory
) -> None:
    """One of those that the scenario left, and not only some other's."""
    ids = [journey["trace_id"] for journey in played(name, False).journeys]
    found = [
        trace_id
        for trace_id in ids
        if observatory.traces(text=f'({text}) and trace = "{trace_id}"')["traces"]
    ]
    assert found, f"{text!r} finds none of {ids}"


@pytest.mark.parametrize(("name", "sql"), STATEMENTS)
def test_its_sql_has_an_answer(
    name: str, sql: str, played: PlayOnce, observatory: Observatory
) -> None:
    """At least a row of it."""
    played(name, False)
    assert observatory.ask(sql)["rows"], sql
