"""Make virtual environments with uv, from requirements with hashes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from stack import paths
from stack.console import step
from stack.setup import external_command
from stack.setup.steps import step_needed

UV_VERSION = "0.13.9"
REGISTRY_HINT = (
    "Does the Python package registry answer? Try again; nothing is left half installed."
)


def make(stamp: str, venv: Path, requirements: Path, name: str) -> None:
    """Make `venv` with what `requirements` pins, unless it is there and up to date.

    Raises:
        UserError: it can't be made, or a package can't be fetched.
    """
    with step_needed(stamp, [requirements], [sys.version], paths.python_in(venv)) as needed:
        if needed:
            with step(name):
                install(venv, requirements, log=stamp)


def install(venv: Path, requirements: Path, log: str) -> None:
    """Make `venv` afresh for the Python that runs this, and install `requirements` there.

    Raises:
        UserError: it can't be made, or a package can't be fetched.
    """
    uv = uv_command()
    external_command.run(
        [uv, "venv", "--quiet", "--clear", "--python", base_python(), str(venv)],
        log,
        "Is the disk full?",
    )
    external_command.run(
        [
            *(uv, "pip", "install", "--quiet", "--require-hashes"),
            *("--python", str(paths.python_in(venv)), "-r", str(requirements)),
        ],
        log,
        REGISTRY_HINT,
    )


def base_python() -> str:
    """Return the interpreter that this one's virtual environment, if any, was made from.

    The environment's own would go away when the environment is made afresh.
    """
    base: str = getattr(sys, "_base_executable", "") or sys.executable
    return base


def uv_command() -> str:
    """Return the system's uv, or one of the pinned version that is installed for this checkout.

    Raises:
        UserError: it can't be installed.
    """
    if on_path := shutil.which("uv"):
        return on_path
    home = paths.MADE / "uv"
    uv = home / "bin" / "uv"
    with step_needed("uv", [], [UV_VERSION, sys.version], uv) as needed:
        if needed:
            with step("uv"):
                external_command.run(
                    [base_python(), "-m", "venv", "--clear", str(home)],
                    "uv",
                    "Python's venv module is needed (on Debian: apt install python3-venv).",
                )
                external_command.run(
                    [
                        *(str(paths.python_in(home)), "-m", "pip", "install", "--quiet"),
                        f"uv=={UV_VERSION}",
                    ],
                    "uv",
                    REGISTRY_HINT,
                )
    return str(uv)
