"""Checks whether processes that a test started are still running."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and not done.stdout.strip().startswith("Z")


def pid_in(path: Path) -> int:
    """Return the process id that a process wrote into a file."""
    return int(path.read_text())
