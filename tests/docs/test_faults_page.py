"""docs/faults.md lists the faults and the platform conditions of the catalogues."""

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


def test_the_table_lists_the_faults_of_the_catalogue() -> None:
    """The table has the order and the wording of the catalogue."""
    rows = [row[:4] for row in ROW.findall(PAGE.read_text())]
    assert rows == [(fault.name, fault.kind, fault.where, fault.summary) for fault in FAULTS]


def test_the_conditions_table_lists_the_conditions_of_the_catalogue() -> None:
    """The table has the order and the wording of the catalogue."""
    rows = [row[:3] for row in CONDITION.findall(PAGE.read_text())]
    assert rows == [(one.name, one.where, one.summary) for one in CONDITIONS]


def test_the_quoted_declaration_is_in_the_code() -> None:
    (quoted,) = [code for language, code in FENCE.findall(PAGE.read_text()) if language == "py"]
    assert quoted in (PAGE.parents[1] / "functions" / "faults" / "charge.py").read_text()


def test_each_row_names_a_scenario_that_turns_it_on() -> None:
    for name, _, _, _, scenario_name in ROW.findall(PAGE.read_text()):
        assert name == scenario.load(scenario_name).fault
    for name, _, _, scenario_name in CONDITION.findall(PAGE.read_text()):
        assert name in scenario.load(scenario_name).platform_conditions
