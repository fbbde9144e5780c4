"""The tree that is checked and deployed: a checkout, and the project that it is deployed to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack import paths


@dataclass(frozen=True)
class Tree:
    """A checkout and the project whose settings files count.

    Attributes:
        root: the folder of firebase.json.
        project: the project's id; None: the tree is checked without a project's settings.
    """

    root: Path = paths.ROOT
    project: str | None = None

    @property
    def project_id(self) -> str:
        """Return the project's id, or an example where the tools need one."""
        return self.project or "example-project"

    def firebase_json(self) -> dict[str, Any]:
        """Return the parsed firebase.json."""
        parsed: dict[str, Any] = json.loads(self.text("firebase.json"))
        return parsed

    def text(self, file: str) -> str:
        """Return the text of a file, or "" if it does not exist."""
        path = self.root / file
        return path.read_text(errors="replace") if path.is_file() else ""

    def line_of(self, file: str, pattern: str) -> int | None:
        """Return the number of the first line of a file that matches a pattern."""
        for number, line in enumerate(self.text(file).splitlines(), 1):
            if re.search(pattern, line):
                return number
        return None

    def codebases(self) -> list[dict[str, Any]]:
        """Return the codebases of firebase.json, each with its `source` and `codebase`."""
        functions = self.firebase_json().get("functions", [])
        return functions if isinstance(functions, list) else [functions]

    def settings_files(self) -> Iterator[str]:
        """Yield the existing settings files that `firebase deploy` reads, for each codebase.

        See https://firebase.google.com/docs/functions/config-env#env-variables. It reads
        `.env.<alias>` too, if the project has an alias in .firebaserc.
        """
        names = [".env"]
        if self.project:
            names += [f".env.{name}" for name in (self.project, *self.aliases())]
        for codebase in self.codebases():
            for name in names:
                file = f"{codebase['source']}/{name}"
                if (self.root / file).is_file():
                    yield file

    def aliases(self) -> list[str]:
        """Return the aliases of the project in .firebaserc, sorted."""
        return sorted(name for name, project in self.projects().items() if project == self.project)

    def projects(self) -> dict[str, str]:
        """Return the project ids of .firebaserc by their aliases."""
        text = self.text(".firebaserc")
        projects: dict[str, str] = json.loads(text).get("projects", {}) if text else {}
        return projects


def read_settings(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line number, name and value of each assignment in a settings file."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$", line)
        if match:
            yield number, match[1], match[2].strip("\"'")
