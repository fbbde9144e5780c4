"""`python -m stack.setup.observatory`: the Observatory alone, without the set-up of the rest.

bootstrap.sh runs this with the system's Python, so this module and those that it imports use only
the standard library.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from stack import paths
from stack.console import step
from stack.exit_status import exit_status
from stack.setup import external_command, observatory_ui, python_environment
from stack.setup.steps import setup_lock

FOLDER = paths.MADE / "observatory"
VENV = FOLDER / "venv"
PACKAGE = paths.ROOT / "observatory"
WHEEL = "wheel"
USAGE = """\
usage: ./scripts/observatory [OPTION …]      build what is missing, and run the Observatory
       ./scripts/observatory mcp [OPTION …]  serve a running one to an assistant over stdio
       ./scripts/observatory wheel           build a wheel, and print its path
       ./scripts/observatory options         list all options of the first

The Observatory alone, for any OpenTelemetry app, without the set-up of the rest. The wheel installs
the command `observatory`, for example with `uv tool install WHEEL`.

options:
  --port PORT       for the explorer and OTLP over HTTP (default: 4318)
  --grpc-port PORT  for OTLP over gRPC (default: 4317); --no-grpc turns it off
  --data FILE       the DuckDB file (default: ~/.observatory/observatory.duckdb)
  --no-browser      do not open the explorer

Exit status: 0 it ended as asked; 1 it cannot start or be built; 2 bad usage."""


def set_up() -> None:
    """Build the explorer, and create the Observatory's virtual environment.

    Raises:
        UserError: a package can't be downloaded, or the build fails.
    """
    with setup_lock():
        observatory_ui.build()
        requirements = PACKAGE / "requirements.txt"
        python_environment.make(
            "venv-observatory", VENV, requirements, "Python packages (Observatory)"
        )


def build_wheel(folder: Path = FOLDER / WHEEL) -> Path:
    """Build the explorer and the wheel, and return the wheel's path.

    Raises:
        UserError: a package can't be downloaded, or a build fails.
    """
    with setup_lock():
        observatory_ui.build()
        for old in folder.glob("*.whl"):
            old.unlink()
        with step("Wheel of the Observatory"):
            external_command.run(
                [
                    *(python_environment.uv_command(), "build", "--quiet", "--wheel"),
                    *("--out-dir", str(folder), str(PACKAGE)),
                ],
                "observatory-wheel",
                python_environment.REGISTRY_HINT,
            )
    (wheel,) = folder.glob("*.whl")
    return wheel


def main() -> int:
    """Build the wheel, or replace this process by the Observatory."""
    arguments = sys.argv[1:]
    if arguments == [WHEEL]:
        print(build_wheel())
        return 0
    if arguments in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    set_up()
    if arguments == ["options"]:
        arguments = ["--help"]
    python = str(paths.python_in(VENV))
    os.environ["PYTHONPATH"] = str(paths.ROOT)
    return os.execv(python, [python, "-P", "-m", "observatory.command", *arguments])  # noqa: S606


if __name__ == "__main__":
    sys.exit(exit_status(main)())
