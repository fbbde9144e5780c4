"""Interrupt a command while it has a browser open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

COMMAND = """
import sys
from stack.exit_status import exit_status
from stack.scenario_runner.browser_actions import open_page

@exit_status
def main():
    try:
        with open_page("data:text/html,<h1>hello</h1>") as page:
            page.locator("h1").wait_for()
            print("open", flush=True)
            page.locator("h2").wait_for(timeout=60_000)
    finally:
        print("restored", flush=True)
    return 0

sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_cleans_up_and_stops_its_browser(number: signal.Signals) -> None:
    """The signal reaches the whole process group, as a terminal's does: Playwright's driver too."""
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            os.killpg(process.pid, number)
            out, err = process.communicate(timeout=60)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert (process.returncode, out) == (130, "restored\n")
    assert err == "\nInterrupted. All processes have been stopped.\n"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
