"""The configuration of a stack's emulators."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from firebase_functions.params import SecretParam

import settings
from stack import paths
from stack.local import emulators
from stack.local.addresses import PROJECT, StackAddresses

READ = """
const { loadUserEnvs } = require("firebase-tools/lib/functions/env");
const [configDir, projectId, projectDir] = process.argv.slice(1);
const where = { functionsSource: configDir, configDir, projectId, projectDir };
console.log(JSON.stringify(loadUserEnvs({ ...where, isEmulator: true })));
"""


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    """A folder of functions."""
    folder = tmp_path / "functions"
    folder.mkdir()
    return folder


def read_settings(folder: Path) -> dict[str, str]:
    """Return the settings that the Firebase CLI reads from a folder."""
    done = subprocess.run(
        ["node", "-e", READ, str(folder), PROJECT, str(paths.ROOT)],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    values: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return values


def test_the_cli_finds_every_setting_of_the_functions(functions: Path, tmp_path: Path) -> None:
    """It would ask for one that is missing; values reach it as they are."""
    awkward = 'a "quoted" # value\nof two lines \\ é'
    environment = {"SETTLE_URL": awkward, "HOLD_SECONDS": "7"}
    folder = tmp_path / "stack" / emulators.FUNCTIONS_SETTINGS
    folder.mkdir(parents=True)
    (folder / ".env.local").write_text("OTEL_SDK_DISABLED=true\n")
    config_of_stack = emulators.config_for(
        StackAddresses(19_000), tmp_path, tmp_path / "stack", environment, functions
    )
    with config_of_stack as config:
        configured = json.loads(config.read_text())["functions"][0]["configDir"]
    assert (paths.ROOT / configured).resolve() == folder
    values = read_settings(folder)
    secrets = {name for name, each in settings.declared().items() if isinstance(each, SecretParam)}
    assert set(values) == set(settings.declared()) - secrets
    assert (values["SETTLE_URL"], values["HOLD_SECONDS"]) == (awkward, "7")
    lines = (functions / ".secret.local").read_text().splitlines()
    assert {line.partition("=")[0] for line in lines} == secrets
    assert 'PSEUDONYM_SALT="demo-throughline"' in lines
