"""Configures and starts the Firebase Emulator Suite, and detects when it is ready."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from firebase_functions.params import SecretParam

import settings
from stack import paths, proxies
from stack.errors import UserError
from stack.local.addresses import PROJECT, StackAddresses
from stack.local.processes import Processes, Service
from stack.setup import toolchain

NAME = "The Firebase emulator suite"
# Folder of a stack's settings of the functions, inside the stack's own.
FUNCTIONS_SETTINGS = "functions-settings"


@contextmanager
def starting() -> Iterator[None]:
    """Prevent other stacks on this machine from starting their emulators while the block runs.

    To discover the functions, firebase-tools chooses a free port from 8081 and opens it a second
    later. Two suites that start together choose the same port, and one loads no functions.
    """
    name = f"throughline-starting-{os.getuid()}.lock"
    with (Path(tempfile.gettempdir()) / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(processes: Processes, config: Path, environment: Mapping[str, str], log: Path) -> Service:
    """Start the emulators that the file `config` configures."""
    return processes.start(
        NAME,
        [
            *(str(toolchain.node()), str(paths.FIREBASE), "emulators:start"),
            *("--project", PROJECT, "--config", str(config)),
        ],
        proxies.without_proxies(environment),
        log,
        paths.ROOT,
    )


def are_ready(log: Path) -> bool:
    """Return whether the suite's log reports that all emulators are ready.

    Raises:
        UserError: the functions did not load; the suite itself starts without them.
    """
    output = log.read_text(errors="replace")
    if "All emulators ready" not in output:
        return False
    if failure := re.search(r"Failed to load function definition[^\n]*", output):
        raised = re.findall(r"^\w*(?:Error|Exception): .*", output[: failure.start()], re.MULTILINE)
        reason = (raised or [failure[0]])[-1][:300]
        raise UserError(f"The functions did not load: {reason} (full log: {log})")
    return True


def environment(java: Path) -> dict[str, str]:
    """Return the suite's environment variables, except those for the functions."""
    variables = {
        "PATH": os.pathsep.join([str(java.parent), os.environ.get("PATH", "")]),
        "JAVA_HOME": str(java.parent.parent),
        # The emulator starts a worker for each concurrent event, at about a second of CPU each.
        # The limit keeps a small machine from being busy only with starting workers.
        "FUNCTIONS_EMULATOR_PARALLEL": os.environ.get("FUNCTIONS_EMULATOR_PARALLEL")
        or str(max(4, 2 * (os.cpu_count() or 2))),
        # In seconds. The default of 10 is too short for a busy machine: the suite would start
        # without functions.
        "FUNCTIONS_DISCOVERY_TIMEOUT": os.environ.get("FUNCTIONS_DISCOVERY_TIMEOUT") or "60",
    }
    for emulator, elsewhere in (
        ("firestore", toolchain.firestore_emulator),
        ("pubsub", toolchain.pubsub_emulator),
    ):
        if not toolchain.is_downloaded(emulator) and (binary := elsewhere()):
            variables[f"{emulator.upper()}_EMULATOR_BINARY_PATH"] = str(binary)
    return variables


@contextmanager
def config_for(
    addresses: StackAddresses,
    public: Path,
    folder: Path,
    environment: Mapping[str, str],
    functions: Path = paths.FUNCTIONS,
) -> Iterator[Path]:
    """Yield a copy of firebase.json for one stack, with its ports, page, Python version and UI.

    The file is beside firebase.json, because firebase-tools uses its folder as the project's.

    Args:
        addresses: the stack's addresses.
        public: the folder of the page.
        folder: the stack's folder, for the settings of its functions.
        environment: the environment of the stack, which may have settings of the functions.
        functions: the folder of the functions, in the checkout.
    """
    config = json.loads((paths.ROOT / "firebase.json").read_text())
    version = sys.version_info
    config["functions"][0]["runtime"] = f"python{version.major}{version.minor}"
    config["functions"][0]["source"] = os.path.relpath(functions, paths.ROOT)
    _write_settings(folder / FUNCTIONS_SETTINGS, functions, environment)
    config["functions"][0]["configDir"] = os.path.relpath(folder / FUNCTIONS_SETTINGS, paths.ROOT)
    config["hosting"]["public"] = os.path.relpath(public, paths.ROOT)
    for name, emulator in config["emulators"].items():
        if isinstance(emulator, dict):
            emulator["port"] = addresses.ports[name]
    config["emulators"]["firestore"]["websocketPort"] = addresses.ports["websocket"]
    config["emulators"]["ui"]["enabled"] = toolchain.is_downloaded("ui")
    path = paths.ROOT / f".firebase.{addresses.offset}.json"
    path.write_text(json.dumps(config, indent=2))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _write_settings(folder: Path, functions: Path, environment: Mapping[str, str]) -> None:
    """Write the files from which the emulator gives the functions their settings and secrets.

    It would ask for each declared setting that is not in its files, and look for each secret in
    Secret Manager. The secrets' file must be in the folder of the functions; it is the same for all
    stacks.
    """
    values = settings.local_environment(environment, PROJECT)
    secrets = {
        name: value
        for name, value in values.items()
        if isinstance(settings.declared()[name], SecretParam)
    }
    # A benchmark may have left settings of its own there.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, texts in (
        (folder / f".env.{PROJECT}", {name: values[name] for name in values.keys() - secrets}),
        (functions / ".secret.local", secrets),
    ):
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.write_text("".join(_dotenv_line(name, texts[name]) for name in sorted(texts)))
        temporary.replace(path)


def _dotenv_line(name: str, value: str) -> str:
    """Return an assignment in the CLI's dotenv format, whose escapes in quotes are JSON's."""
    return f"{name}={json.dumps(value, ensure_ascii=False)}\n"
