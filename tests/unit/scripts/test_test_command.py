"""Tests that ./scripts/test runs each test either in parallel or one by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Tests that need the stack; and a file with one test that measures time and others that do neither.
ON_STACK = "tests/journey/test_stock.py"
MIXED = "tests/journey/test_observatory_frame.py"
MEASURES = f"{MIXED}::test_the_explorer_loads_fast_without_layout_shift"


def collected(*options: str) -> set[str]:
    """Return the ids of the tests that pytest collects with these options."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *options, ON_STACK, MIXED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_every_test_is_in_one_of_the_two_runs() -> None:
    """Tests that need the stack or measure time are in the run one by one."""
    alone, together = collected("--one-by-one=only"), collected("--one-by-one=none")
    assert alone | together == collected()
    assert alone & together == set()
    assert MEASURES in alone
    assert {name for name in alone | together if name.startswith(ON_STACK)} <= alone
    assert {name for name in alone if name.startswith(MIXED)} == {MEASURES}
