"""Processes of the stack are killed while orders are placed, and no order is lost."""

from __future__ import annotations

import json
import subprocess

import pytest

from stack import paths
from stack.load.process_kills import FUNCTIONS, SERVICES

EVERY_TARGET = len(FUNCTIONS) + len(SERVICES)


@pytest.mark.long
@pytest.mark.parametrize(("orders", "kills"), [(100, EVERY_TARGET), (500, 3)])
def test_killed_processes_lose_no_order(orders: int, kills: int) -> None:
    """Nor is a seat sold twice or a card charged twice, with unreliable events besides."""
    options = ["--orders", str(orders), "--concurrency", "20", "--chaos", "--kill", str(kills)]
    done = subprocess.run(
        [str(paths.ROOT / "scripts" / "load"), *options, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout)
    invariants = ("oversold", "double_charged", "lost")
    assert {name: figures[name] for name in ("orders", "final", "killed", *invariants)} == {
        **{"orders": orders, "final": orders, "killed": kills},
        **dict.fromkeys(invariants, 0),
    }
