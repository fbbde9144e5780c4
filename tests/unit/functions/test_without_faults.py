"""Deleting functions/faults and its block of main.py leaves a clean app."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT
from tests.unit.functions.test_main import DISCOVER
from tests.without_faults import copy_checkout, delete_faults

BIN = ROOT / ".venv" / "bin"
#: What `install.everything` makes; a copy of the checkout shares it.
MADE = (".venv", "functions/venv", "acquirer/venv", "node_modules")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout from which the faults were deleted."""
    folder = tmp_path_factory.mktemp("without-faults")
    copy_checkout(folder)
    delete_faults(folder)
    for name in MADE:
        (folder / name).symlink_to(ROOT / name)
    return folder


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command, which must succeed, and return what it printed."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(command),
        cwd=cwd,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_function_is_still_listed(copy: Path) -> None:
    """The Firebase CLI discovers the same functions as with the faults."""
    python, project = ROOT / "functions" / "venv" / "bin" / "python", "demo-throughline"
    listed = [
        json.loads(run(python, "-c", DISCOVER, cwd=root / "functions", GCLOUD_PROJECT=project))
        for root in (copy, ROOT)
    ]
    assert listed[0]["endpoints"] == listed[1]["endpoints"] != {}


@pytest.mark.parametrize(
    ("command", "folder", "environment"),
    [
        (["ruff", "check", "functions"], "", {}),
        (["ruff", "format", "--check", "functions"], "", {}),
        (["lint-imports", "--no-cache"], "", {"PYTHONPATH": "functions:.:scripts"}),
        pytest.param(
            *(["mypy", "--config-file", "../pyproject.toml", "main.py"], "functions", {}),
            marks=pytest.mark.long,
        ),
        (["python", "-m", "pytest", "--collect-only", "-q", "tests/unit/functions"], "", {}),
    ],
    ids=["ruff", "format", "import rules", "types", "tests"],
)
def test_the_functions_still_pass(
    copy: Path, command: list[str], folder: str, environment: dict[str, str]
) -> None:
    """Lint, import rules and types pass, and the tests are collected."""
    run(BIN / command[0], *command[1:], cwd=copy / folder, **environment)


@pytest.mark.long
def test_all_else_passes_too(copy: Path) -> None:
    """All checks, the unit tests and every hop on the real emulators pass."""
    run("./scripts/check", cwd=copy)
    run("./scripts/test", "unit", "hops", cwd=copy)
