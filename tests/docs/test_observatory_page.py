"""docs/observatory.md says what the Observatory does now."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from observatory.app import UI_PATHS
from observatory.compare import filter as filters
from observatory.compare.parsing import parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "observatory.md").read_text()
EXAMPLES = re.search(r"## Filters.*?```filter\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES[1].splitlines() if EXAMPLES else [])
def test_every_example_is_a_filter(text: str) -> None:
    """It can be typed into the box as it stands there."""
    assert parse(text)


def test_every_key_of_its_own_is_in_the_table() -> None:
    """A key that isn't there would be found by nobody."""
    table = PAGE.partition("| key | what it is |")[2].partition("\n\n")[0]
    keys = set(re.findall(r"`([a-z_.]+)`", table))
    assert keys >= filters.RESERVED_KEYS
    assert filters.WAIT_PREFIX in keys


def test_every_flag_that_it_names_is_there() -> None:
    """`--keep-hours` and its like."""
    command = [sys.executable, "-m", "observatory", "--help"]
    known = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = re.findall(r"`(--[a-z-]+)`", PAGE)
    assert named
    assert [flag for flag in named if flag not in known] == []


def test_every_view_is_in_the_first_table() -> None:
    """One that nobody is told of need not be there."""
    told = PAGE.partition("| question | where |")[2].partition("\n\n")[0].lower()
    views = {path.strip("/") for path in UI_PATHS if "{" not in path} - {""}
    assert {view for view in views if view not in told} <= {"storage"}
    assert "storage" in PAGE.lower()
