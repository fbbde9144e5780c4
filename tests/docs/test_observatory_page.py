"""docs/observatory.md agrees with the Observatory's filters, options and views."""

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
def test_every_example_is_a_valid_filter(text: str) -> None:
    assert parse(text)


def test_every_reserved_filter_key_is_in_the_table() -> None:
    table = PAGE.partition("| key | what it is |")[2].partition("\n\n")[0]
    keys = set(re.findall(r"`([a-z_.]+)`", table))
    assert keys >= filters.RESERVED_KEYS
    assert filters.WAIT_PREFIX in keys


def test_every_option_that_it_names_exists() -> None:
    command = [sys.executable, "-m", "observatory", "--help"]
    help_text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    options = re.findall(r"`(--[a-z-]+)`", PAGE)
    assert options
    assert [option for option in options if option not in help_text] == []


def test_every_view_is_in_the_first_table() -> None:
    """Storage is the exception: it has a section."""
    table = PAGE.partition("| question | where |")[2].partition("\n\n")[0].lower()
    views = {path.strip("/") for path in UI_PATHS if "{" not in path} - {""}
    assert {view for view in views if view not in table} <= {"storage"}
    assert "storage" in PAGE.lower()
