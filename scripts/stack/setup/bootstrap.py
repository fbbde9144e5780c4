"""`python -m stack.setup.bootstrap`: make .venv, in which every command runs.

bootstrap.sh runs this with the system's Python when .venv is missing or out of date, so it and all
that it imports stand on the standard library alone.
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
from stack.setup.steps import one_at_a_time

REQUIREMENTS = paths.ROOT / "requirements.txt"


def make_environment(venv: Path = paths.VENV, requirements: Path = REQUIREMENTS) -> int:
    """Make the environment unless it is up to date, and return the exit status 0.

    bootstrap.sh compares the same two stamps, and then doesn't start this at all. They are in the
    environment, so that they go when it goes; the second is written last, when all is installed.

    Raises:
        UserError: it can't be made, or a package can't be fetched.
    """
    installed = venv / "installed-requirements.txt"
    made_with = venv / "made-with-python"
    with one_at_a_time():
        if (
            paths.python_in(venv).exists()
            and made_with.is_file()
            and made_with.read_text() == sys.version
            and installed.is_file()
            and filecmp.cmp(requirements, installed, shallow=False)
        ):
            return 0  # another command made it while this one waited
        made_with.unlink(missing_ok=True)
        with step("Python packages (Observatory, scripts, tests)"):
            python_environment.install(venv, requirements, log="venv-root")
            shutil.copyfile(requirements, installed)
            made_with.write_text(sys.version)
    return 0


if __name__ == "__main__":
    sys.exit(exit_status(make_environment)())
