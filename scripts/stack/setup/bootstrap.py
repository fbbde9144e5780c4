"""`python -m stack.setup.bootstrap`: create .venv, in which every command runs.

bootstrap.sh runs this with the system's Python when .venv is missing or out of date, so this module
and those that it imports use only the standard library.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from pathlib import Path

from stack import paths
from stack.console import step
from stack.exit_status import exit_status
from stack.setup import python_environment
from stack.setup.steps import setup_lock

REQUIREMENTS = paths.ROOT / "requirements.txt"


def make_environment(venv: Path = paths.VENV, requirements: Path = REQUIREMENTS) -> int:
    """Create the environment unless it is up to date, and return the exit status 0.

    bootstrap.sh compares the same two stamp files first. They are in the environment, so that they
    are deleted with it; the second is written last, when everything is installed.

    Raises:
        UserError: the environment can't be created, or a package can't be downloaded.
    """
    installed = venv / "installed-requirements.txt"
    made_with = venv / "made-with-python"
    with setup_lock():
        if (
            paths.python_in(venv).exists()
            and made_with.is_file()
            and made_with.read_text() == sys.version
            and installed.is_file()
            and filecmp.cmp(requirements, installed, shallow=False)
        ):
            return 0  # another command created it while this one waited
        made_with.unlink(missing_ok=True)
        with step("Python packages (Observatory, scripts, tests)"):
            python_environment.install(venv, requirements, log="venv-root")
            shutil.copyfile(requirements, installed)
            made_with.write_text(sys.version)
    return 0


if __name__ == "__main__":
    sys.exit(exit_status(make_environment)())
