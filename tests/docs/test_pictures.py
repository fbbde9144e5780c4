"""Each picture in the documents is there, is made by a test, and is shown somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.scenario_runner import scenario as scenarios
from tests import pictures as made
from tests.docs import markdown, scenario_page
from tests.docs.markdown import checkout, named

DOCUMENTS = checkout("*.md")
SCENARIOS = {made.of_scenario(name): name for name in scenarios.names()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_picture_that_is_shown_is_there_and_made_by_a_test(document: Path) -> None:
    """One that somebody took by hand is of some other day's app."""
    for picture in markdown.pictures(document):
        assert picture.is_file(), f"{named(document)} shows {picture.name}"
        assert picture.parent == made.FOLDER
        assert picture.stem in {*made.OF_A_PURCHASE, *SCENARIOS}, picture.name


def test_every_picture_is_shown_somewhere() -> None:
    """A scenario's may be there before its page."""
    shown = {picture.name for document in DOCUMENTS for picture in markdown.pictures(document)}
    waiting = {f"{name}.png" for name, of in SCENARIOS.items() if of not in scenario_page.names()}
    there = {picture.name for picture in made.FOLDER.iterdir()}
    assert there - shown - waiting == set()


@pytest.mark.parametrize("picture", sorted(made.FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_picture_is_large(picture: Path) -> None:
    """A page of the tutorial opens at once, and a clone stays small."""
    assert picture.stat().st_size <= made.BYTES_MAX
