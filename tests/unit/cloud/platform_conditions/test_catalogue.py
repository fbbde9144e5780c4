"""Tests of the list of platform conditions."""

from __future__ import annotations

import re
from pathlib import Path

from cloud.platform_conditions.catalogue import CONDITIONS, EVERY_FUNCTION
from faults.catalogue import FAULTS
from stack.scenario_runner import scenario

ROOT = Path(__file__).resolve().parents[4]
MAIN = ROOT / "functions" / "main.py"


def test_each_condition_belongs_to_one_scenario() -> None:
    """The scenario shows the code that survives the condition."""
    used = [name for each in scenario.load_all().values() for name in each.platform_conditions]
    assert sorted(used) == sorted(condition.name for condition in CONDITIONS)


def test_each_condition_affects_a_deployed_function() -> None:
    """With a misspelt name it would never take effect."""
    deployed = re.findall(r"^from boxoffice\.\w+ import (\w+)", MAIN.read_text(), re.MULTILINE)
    affected = {condition.where for condition in CONDITIONS} - {EVERY_FUNCTION}
    assert affected <= set(deployed)


def test_faults_and_conditions_have_different_flags() -> None:
    """Both are documents of the same collection."""
    assert not {fault.name for fault in FAULTS} & {condition.name for condition in CONDITIONS}


def test_the_deployed_functions_do_not_mention_any_condition() -> None:
    """Conditions are injected from outside."""
    names = re.compile("|".join(condition.name.replace("-", "[-_]") for condition in CONDITIONS))
    mentioning = [
        path
        for folder in ("boxoffice", "throughline", "faults")
        for path in (ROOT / "functions" / folder).rglob("*.py")
        if names.search(path.read_text())
    ]
    assert mentioning == []
