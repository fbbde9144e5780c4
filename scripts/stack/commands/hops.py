"""`./scripts/hops`: cross every hop of the contract once, and say which carried the context."""

from __future__ import annotations

import argparse
import subprocess
import sys

from stack import emulators, install, places, running
from stack.console import say
from stack.exit_status import exit_status
from stack.ports import Ports, free_ports

FOLDER = places.MADE / "hops"

_PARTS = ("hosting", "functions", "auth", "firestore", "observatory")


@exit_status
def main() -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args()
    say("Throughline: setting up")
    install.everything(chromium=True)
    ports = free_ports()
    with running.only_one(FOLDER, ports), running.stack(ports, FOLDER):
        status = _cross(ports, as_json=options.json)
    if status:
        say(f"What was stored and logged is kept in {FOLDER.relative_to(places.ROOT)}/.")
    return status


def _cross(ports: Ports, *, as_json: bool) -> int:
    command = [str(places.python_in(places.VENV)), "-m", "stack.every_hop"]
    command += ["--project", emulators.PROJECT]
    for part in _PARTS:
        command += [f"--{part}", ports.url(part)]
    command += ["--json"] if as_json else []
    return subprocess.run(command, cwd=places.ROOT, check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./scripts/hops",
        description="Start a fresh stack, cross every hop of the contract through the real path "
        "(a browser, the emulators, the functions, the acquirer), and print what the Observatory "
        "saw of each: whether the context was carried, what it was joined as, the median wait in "
        "milliseconds, and a trace to look at. The stack ends with the command.",
        epilog="Exit status: 0 every hop carried the context; 1 one did not, or could not be "
        "crossed; 2 bad usage.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, by hop")
    return parser


if __name__ == "__main__":
    sys.exit(main())
