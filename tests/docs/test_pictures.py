"""Each picture in the documents exists, is taken by a test, and is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.scenario_runner import scenario as scenarios
from tests import pictures as taken
from tests.docs import markdown, scenario_page
from tests.docs.markdown import checkout, relative_name

DOCUMENTS = checkout("*.md")
SCENARIOS = {taken.of_scenario(name): name for name in scenarios.names()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative_name)
def test_every_shown_picture_exists_and_is_taken_by_a_test(document: Path) -> None:
    """A picture taken by hand would go out of date."""
    for picture in markdown.pictures(document):
        assert picture.is_file(), f"{relative_name(document)} shows {picture.name}"
        assert picture.parent == taken.FOLDER
        assert picture.stem in {*taken.OF_A_PURCHASE, *SCENARIOS}, picture.name


def test_every_picture_is_shown() -> None:
    """Pictures of scenarios without a page are the exception."""
    shown = {picture.name for document in DOCUMENTS for picture in markdown.pictures(document)}
    without_page = {
        f"{name}.png" for name, of in SCENARIOS.items() if of not in scenario_page.names()
    }
    pictures = {picture.name for picture in taken.FOLDER.iterdir()}
    assert pictures - shown - without_page == set()


@pytest.mark.parametrize("picture", sorted(taken.FOLDER.iterdir()), ids=lambda path: path.name)
def test_pictures_are_small(picture: Path) -> None:
    """Pages open fast, and clones stay small."""
    assert picture.stat().st_size <= taken.BYTES_MAX
