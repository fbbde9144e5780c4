"""Tests that ./scripts/test runs every test, in one of its parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from stack.commands import test as test_command
from tests.conftest import PARTS

ROOT = Path(__file__).resolve().parents[3]
# Tests that need the stack, tests with an emulator of their own, and a file with one test that
# measures time and others that do neither.
ON_STACK = "tests/journey/test_stock.py"
ON_EMULATOR = "tests/security/test_strangers_transactions.py"
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
    assert status in {0, 5}, status
    collected.append(recorder.ids)
print(json.dumps(collected))
"""


def collected(
    *options: list[str], folders: Sequence[str] = (ON_STACK, ON_EMULATOR, MIXED)
) -> list[set[str]]:
    """Return the ids of the tests that pytest collects with each of these lists of options."""
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, json.dumps(options), *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [set(ids) for ids in json.loads(done.stdout.splitlines()[-1])]


def test_every_test_is_in_one_part() -> None:
    """Tests that measure time are in a part of their own, even if they need the stack."""
    every, *parts = collected([], *([f"--part={part}"] for part in PARTS))
    assert sorted(name for part in parts for name in part) == sorted(every)
    parallel, emulator, stack, measuring = parts
    assert MEASURES in measuring
    assert {name for name in every if name.startswith(ON_STACK)} <= stack
    assert {name for name in every if name.startswith(ON_EMULATOR)} == emulator
    assert {name for name in every if name.startswith(MIXED)} - {MEASURES} <= parallel


@pytest.mark.long
def test_every_tier_names_the_parts_of_its_tests() -> None:
    """Tests in a part that their tier does not name would never run."""
    for name, tier in test_command.TIERS.items():
        parts = collected(
            *([f"--part={part}", "-m", "long or not long"] for part in PARTS),
            folders=[f"tests/{name}"],
        )
        found = {part for part, tests in zip(PARTS, parts, strict=True) if tests}
        assert found == set(tier.parts), name


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
