"""docs/guide/: a page can be read alone, what it tells to type works, no scenario is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from observatory.ask.query import answer_of
from observatory.compare import parsing
from observatory.receive.spans import spans_of
from observatory.store import Store
from stack.scenario_runner import scenario
from tests.unit.observatory.box_office import BOX_OFFICE
from tests.unit.observatory.telemetry import purchase

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
LINES_MAX = 250

WHERE_TO_LOOK = (GUIDE / "where-to-look.md").read_text()
ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
FIRST_LOOKS = [row[1] for row in ROW.findall(WHERE_TO_LOOK)]
CODE = re.compile(r"`([^`]+)`")
FILTERS = [code for look in FIRST_LOOKS for code in CODE.findall(look) if re.search("[=<>]", code)]
QUERY = re.compile(r'\./scripts/trace sql "([^"]+)"')


def test_the_guide_has_its_pages() -> None:
    """Else the tests below would be of nothing."""
    assert [page.stem for page in PAGES] == [
        "choose-the-pieces",
        "decisions",
        "emulated-or-real",
        "plan-for-trouble",
        "where-to-look",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_first_whom_it_is_for(page: Path) -> None:
    """And stays short enough to be read in one go."""
    _, _, opening = page.read_text().split("\n", 2)
    assert opening.startswith("This page is for ")
    assert len(page.read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("name", scenario.names())
def test_every_scenario_is_where_a_symptom_leads(name: str) -> None:
    """A bug that can be provoked has a row that finds it."""
    assert f"[{name}](../scenarios/{name}.md)" in WHERE_TO_LOOK


@pytest.mark.parametrize("text", FILTERS)
def test_every_filter_of_a_first_look_can_be_typed(text: str) -> None:
    """As it stands there."""
    assert parsing.parse(text)


def test_the_objective_is_computed_as_the_guide_says(tmp_path: Path) -> None:
    """Of two purchases, of which one was declined, the other counts, and was quick enough."""
    (query,) = QUERY.findall((GUIDE / "plan-for-trouble.md").read_text())
    store = Store(tmp_path / "spans.duckdb", BOX_OFFICE.promotions)
    for trace in (purchase("order-1"), purchase("order-2", decline=True)):
        store.add(spans_of(trace.request().SerializeToString()).rows).result(10)
    with store.reader() as reader:
        assert answer_of(reader, query)["rows"] == [[1.0]]
    store.close()
