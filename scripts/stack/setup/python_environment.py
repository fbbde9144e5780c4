"""Creates virtual environments with uv, from requirements with hashes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from stack import paths
from stack.console import step
from stack.setup import external_command
from stack.setup.steps import step_needed

UV_VERSION = "0.13.9"
REGISTRY_HINT = "Check that the Python package registry can be reached, and run the command again."


def make(stamp: str, venv: Path, requirements: Path, name: str) -> None:
    """Create `venv` and install `requirements`, unless it is up to date.

    Raises:
        UserError: the environment can't be created, or a package can't be downloaded.
    """
    with step_needed(stamp, [requirements], [sys.version], paths.python_in(venv)) as needed:
        if needed:
            with step(name):
                install(venv, requirements, log=stamp)


def install(venv: Path, requirements: Path, log: str) -> None:
    """Create or replace `venv` with the Python that runs this, and install `requirements`.

    Raises:
        UserError: the environment can't be created, or a package can't be downloaded.
    """
    uv = uv_command()
    external_command.run(
        [uv, "venv", "--quiet", "--clear", "--python", base_python(), str(venv)],
        log,
        "Check that the disk is not full.",
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
    """Return the interpreter from which the current virtual environment, if any, was created.

    The environment's own interpreter would be deleted when the environment is replaced.
    """
    base: str = getattr(sys, "_base_executable", "") or sys.executable
    return base


def uv_command() -> str:
    """Return the system's uv, or install the pinned version for this checkout.

    Raises:
        UserError: uv can't be installed.
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
                    "Install Python's venv module (on Debian: apt install python3-venv).",
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
