"""Tests that ./scripts/test runs each test either in parallel or one by one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.commands import test as test_command

ROOT = Path(__file__).resolve().parents[3]
# Tests that need the stack; and a file with one test that measures time and others that do neither.
ON_STACK = "tests/journey/test_stock.py"
MIXED = "tests/journey/test_observatory_frame.py"
MEASURES = f"{MIXED}::test_the_explorer_loads_fast_without_layout_shift"
# Collects the tests of some files once for each list of options; the imports take the most time.
COLLECT = """
import json, sys
import pytest

class Recorder:
    def pytest_collection_finish(self, session):
        self.ids = [item.nodeid for item in session.items]

collected = []
for options in json.loads(sys.argv[1]):
    recorder = Recorder()
    status = pytest.main(["--collect-only", "-q", *options, *sys.argv[2:]], [recorder])
    assert status == 0, status
    collected.append(recorder.ids)
print(json.dumps(collected))
"""


def collected(*options: list[str]) -> list[set[str]]:
    """Return the ids of the tests that pytest collects with each of these lists of options."""
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, json.dumps(options), ON_STACK, MIXED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [set(ids) for ids in json.loads(done.stdout.splitlines()[-1])]


def test_every_test_is_in_one_of_the_two_runs() -> None:
    """Tests that need the stack or measure time are in the run one by one."""
    every, alone, together = collected([], ["--one-by-one=only"], ["--one-by-one=none"])
    assert alone | together == every
    assert alone & together == set()
    assert MEASURES in alone
    assert {name for name in alone | together if name.startswith(ON_STACK)} <= alone
    assert {name for name in alone if name.startswith(MIXED)} == {MEASURES}


def test_the_processes_of_the_tests_cache_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the variable that prevents it is set, because they are hundreds."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr("stack.setup.install.everything", lambda chromium: None)
    environments = []

    def run(*_arguments: object, **_options: object) -> list[int]:
        environments.append(dict(os.environ))
        return [0]

    monkeypatch.setattr(test_command, "_pytests", run)
    assert test_command.main(["hops"]) == 0
    assert ["PYTHONDONTWRITEBYTECODE" in each for each in environments] == [False]
