"""The manifest of the functions, as `firebase deploy` discovers it, without an account."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack import paths
from stack.console import step
from stack.deploy.finding import NotPossible
from stack.deploy.tree import Tree
from stack.errors import UserError
from stack.setup import toolchain

# Half of it is for the functions to answer; the default of 10 s is too short for a busy machine.
SECONDS_MAX = 120
# What firebase-tools uses for a function that declares no region, until it knows the project.
NO_REGION = "REGION_TBD"
_SCRIPT = Path(__file__).with_name("discover.mjs")
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_RAISED = re.compile(r"^[\w.]*(?:Error|Exception|Exit)\b.*", re.MULTILINE)

_locks_lock = threading.Lock()
_locks: dict[Tree, threading.Lock] = {}
_discovered: dict[Tree, Manifest] = {}


@dataclass(frozen=True)
class Codebase:
    """What discovery says about one codebase.

    Attributes:
        name: its name in firebase.json.
        source: its folder.
        error: why it cannot be deployed; empty if it can.
        stage: where the error occurred: source, discovery, settings or options.
        printed: what the functions printed while they were discovered.
        endpoints: the functions by name, as the code declares them.
        resolved: the functions as they would be deployed, with the project's settings.
        params: the declared parameters; secrets have the type `secret`.
        settings: the values from the settings files.
        missing: names of parameters that no settings file sets, although deployment needs them.
        apis: names of the Google APIs that the functions need.
    """

    name: str
    source: str
    error: str = ""
    stage: str = ""
    printed: str = ""
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    resolved: list[dict[str, Any]] = field(default_factory=list)
    params: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    apis: list[str] = field(default_factory=list)

    def value(self, name: str) -> str:
        """Return a setting's value: from the settings files, or else its declared default."""
        declared = (param for param in self.params if param["name"] == name)
        default = next((str(param.get("default", "")) for param in declared), "")
        return self.settings.get(name, default)

    @property
    def raised_at(self) -> tuple[str, int] | None:
        """Return the file, in the codebase, and line of the innermost frame of the traceback."""
        for match in reversed(list(_FRAME.finditer(self.printed))):
            _, found, inside = match["file"].rpartition(f"/{self.source}/")
            if found and "site-packages" not in inside:
                return f"{self.source}/{inside}", int(match["line"])
        return None

    @property
    def raised(self) -> str:
        """Return the last exception that the functions printed, on one line."""
        raised = _RAISED.findall(self.printed)
        return raised[-1][:300] if raised else ""


@dataclass(frozen=True)
class Manifest:
    """Errors in firebase.json, and what discovery says about each codebase."""

    schema: list[dict[str, Any]]
    error: str
    codebases: list[Codebase]

    def discovered(self) -> list[Codebase]:
        """Return the codebases.

        Raises:
            NotPossible: one could not be discovered.
        """
        for codebase in self.codebases:
            if codebase.stage in ("source", "discovery", "settings"):
                raise NotPossible("the functions were not discovered")
        if not self.codebases:
            raise NotPossible("firebase.json has no functions")
        return self.codebases

    def functions(self) -> list[dict[str, Any]]:
        """Return every function as it would be deployed, sorted by name, with its `codebase`.

        Raises:
            NotPossible: a codebase could not be discovered.
        """
        functions = [
            {**function, "codebase": codebase.name, "source": codebase.source}
            for codebase in self.discovered()
            for function in codebase.resolved
        ]
        return sorted(functions, key=lambda function: str(function["id"]))


def discover(tree: Tree) -> Manifest:
    """Return the manifest; the functions are started once for each tree.

    Raises:
        UserError: the script that discovers them fails or takes too long.
    """
    with _locks_lock:
        lock = _locks.setdefault(tree, threading.Lock())
    with lock:
        if tree not in _discovered:
            with step("Discovering the functions"):
                _discovered[tree] = _run(tree)
        return _discovered[tree]


def forget(tree: Tree) -> None:
    """Discover the functions of `tree` again the next time: its files have changed."""
    with contextlib.suppress(KeyError):
        del _discovered[tree]


def runtime() -> str:
    """Return the name of the runtime of the Python that the functions are installed for."""
    return f"python{sys.version_info.major}{sys.version_info.minor}"


def _run(tree: Tree) -> Manifest:
    tools = paths.FIREBASE.parents[2]
    command = [str(toolchain.node()), str(_SCRIPT), str(tools), str(tree.root)]
    command += [tree.project_id, runtime()]
    try:
        done = subprocess.run(
            command,
            env={"FUNCTIONS_DISCOVERY_TIMEOUT": str(SECONDS_MAX // 2), **os.environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"The functions were not discovered within {SECONDS_MAX} s.",
            hint="Look for work that functions/main.py does when it is imported.",
        ) from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        reason = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1][:300]
        raise UserError(f"firebase-tools could not discover the functions: {reason}") from error
    return Manifest(
        answer["schema"],
        answer["error"],
        [
            Codebase(
                name,
                said["source"],
                said["error"],
                said["stage"],
                said.get("printed", ""),
                said.get("endpoints", {}),
                said.get("resolved", []),
                said.get("params", []),
                said.get("settings", {}),
                said.get("missing", []),
                sorted(each["api"] for each in said.get("apis", [])),
            )
            for name, said in answer["codebases"].items()
        ],
    )
