"""docs/faults.md lists the faults and the platform conditions, in the catalogues' own words."""

from __future__ import annotations

import re
from pathlib import Path

from cloud.platform_conditions.catalogue import CONDITIONS
from faults.catalogue import FAULTS
from stack.scenario_runner import scenario
from tests.docs.markdown import FENCE

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
ROW = re.compile(r"^\| `([\w-]+)` \| (\w+) \| \[`(\w+)`\]\(\S+\) \| (.+) \| `([\w-]+)` \|$", re.M)
CONDITION = re.compile(r"^\| `([\w-]+)` \| ([\w ]+) \| ([^|]+) \| `([\w-]+)` \|$", re.M)


def test_the_table_and_the_catalogue_are_the_same_list() -> None:
    """In the same order, and in the same words."""
    rows = [row[:4] for row in ROW.findall(PAGE.read_text())]
    assert rows == [(fault.name, fault.kind, fault.where, fault.summary) for fault in FAULTS]


def test_the_conditions_table_and_the_catalogue_are_the_same_list() -> None:
    """In the same order, and in the same words."""
    rows = [row[:3] for row in CONDITION.findall(PAGE.read_text())]
    assert rows == [(one.name, one.where, one.summary) for one in CONDITIONS]


def test_the_declaration_that_it_quotes_is_one_that_there_is() -> None:
    """A reader who adds a fault copies it."""
    (quoted,) = [code for language, code in FENCE.findall(PAGE.read_text()) if language == "py"]
    assert quoted in (PAGE.parents[1] / "functions" / "faults" / "charge.py").read_text()


def test_each_row_names_the_scenario_that_shows_the_fault() -> None:
    """So that a reader knows what to run."""
    for name, _, _, _, scenario_name in ROW.findall(PAGE.read_text()):
        assert name == scenario.load(scenario_name).fault
    for name, _, _, scenario_name in CONDITION.findall(PAGE.read_text()):
        assert name in scenario.load(scenario_name).platform_conditions
