"""`./scripts/indexes`: does each query that ran have the index that production wants for it?"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from stack import install, places, running
from stack.commands import dev
from stack.exit_status import exit_status
from stack.problem import Problem

DESCRIPTION = """\
Firestore's emulator answers every query; in production one that lacks its composite index is
refused. This takes every query that the running Observatory has seen, the functions' and the
pages' listeners', and looks for the index of each in rules/firestore.indexes.json. Queries that
ran while a bug on purpose was on are left out, unless --all says otherwise.
"""


@exit_status
def main() -> int:
    """Run the command; returns its exit status."""
    options = _options()
    ports = running.running(dev.FOLDER)
    if ports is None:
        raise Problem("No stack is running: start one with ./scripts/dev, and leave it running.")
    install.everything()
    command = [str(places.python_in(places.VENV)), "-m", "stack.index_check"]
    command += ["--observatory", ports.url("observatory")]
    command += [f"--{name}" for name in ("all", "json") if getattr(options, name)]
    paths = [str(places.ROOT / folder) for folder in ("scripts", "functions")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(command, cwd=places.ROOT, env=environment, check=False).returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/indexes",
        description=DESCRIPTION,
        epilog="Exit status: 0 every query has its index; 1 one lacks it, or it could not be found "
        "out; 2 bad usage.",
    )
    parser.add_argument("--all", action="store_true", help="hold queries of bugs on purpose too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
