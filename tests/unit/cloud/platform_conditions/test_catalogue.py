"""The platform conditions: each has a place and belongs to one scenario."""

from __future__ import annotations

import re
from pathlib import Path

from cloud.platform_conditions.catalogue import CONDITIONS, EVERY_FUNCTION
from faults.catalogue import FAULTS
from stack.scenario_runner import scenario

ROOT = Path(__file__).resolve().parents[4]
MAIN = ROOT / "functions" / "main.py"


def test_each_condition_belongs_to_one_scenario() -> None:
    """Whoever adds a condition shows what survives it."""
    used = [name for each in scenario.load_all().values() for name in each.platform_conditions]
    assert sorted(used) == sorted(condition.name for condition in CONDITIONS)


def test_a_condition_is_met_by_a_deployed_function() -> None:
    """A misspelt one would never be met."""
    deployed = re.findall(r"^from boxoffice\.\w+ import (\w+)", MAIN.read_text(), re.MULTILINE)
    places = {condition.where for condition in CONDITIONS} - {EVERY_FUNCTION}
    assert places <= set(deployed)


def test_no_flag_is_a_faults_and_a_conditions() -> None:
    """Both are documents of one collection."""
    assert not {fault.name for fault in FAULTS} & {condition.name for condition in CONDITIONS}


def test_the_deployed_functions_know_no_condition() -> None:
    """They are the platform's doing, and injected from outside."""
    names = re.compile("|".join(condition.name.replace("-", "[-_]") for condition in CONDITIONS))
    knowing = [
        path
        for folder in ("boxoffice", "throughline", "faults")
        for path in (ROOT / "functions" / folder).rglob("*.py")
        if names.search(path.read_text())
    ]
    assert knowing == []
