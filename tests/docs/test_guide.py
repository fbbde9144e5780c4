"""docs/guide/: pages stand alone, their filters and SQL work, and they cover every scenario."""

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
    """Guards against collecting no tests below."""
    assert [page.stem for page in PAGES] == [
        "choose-the-pieces",
        "decisions",
        "emulated-or-real",
        "plan-for-trouble",
        "where-to-look",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_begins_with_its_readers_and_is_short(page: Path) -> None:
    _, _, opening = page.read_text().split("\n", 2)
    assert opening.startswith("This page is for ")
    assert len(page.read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("name", scenario.names())
def test_a_symptom_leads_to_every_scenario(name: str) -> None:
    assert f"[{name}](../scenarios/{name}.md)" in WHERE_TO_LOOK


@pytest.mark.parametrize("text", FILTERS)
def test_every_filter_of_a_first_look_is_valid(text: str) -> None:
    assert parsing.parse(text)


def test_the_query_for_the_objective_leaves_declined_purchases_out(tmp_path: Path) -> None:
    (query,) = QUERY.findall((GUIDE / "plan-for-trouble.md").read_text())
    store = Store(tmp_path / "spans.duckdb", BOX_OFFICE.promotions)
    for trace in (purchase("order-1"), purchase("order-2", decline=True)):
        store.add(spans_of(trace.request().SerializeToString()).rows).result(10)
    with store.reader() as reader:
        assert answer_of(reader, query)["rows"] == [[1.0]]
    store.close()
