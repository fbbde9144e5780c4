"""Checks of the Python requirements, which the platform installs when it builds a function."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stack.deploy.finding import Finding
from stack.deploy.tree import Tree

_PINNED = re.compile(r"^(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*==\s*\S+")
_NAME = re.compile(r"^(?P<name>[\w.-]+)")


def are_pinned_with_hashes(tree: Tree) -> Iterator[Finding]:
    """Yield the requirements without an exact version or hash, and those that are not locked."""
    for codebase in tree.codebases():
        source = codebase["source"]
        file, declared = f"{source}/requirements.txt", f"{source}/requirements.in"
        write = (
            f"Write the file from {declared} with `uv pip compile --generate-hashes --universal` "
            "(see CONTRIBUTING.md)."
        )
        if not (tree.root / file).is_file():
            yield Finding(f"{file} does not exist.", file, write)
            continue
        locked = set()
        for line, requirement in _requirements(tree.text(file)):
            match = _PINNED.match(requirement)
            if match is None:
                yield Finding(f"“{requirement[:60]}” has no exact version.", file, write, line)
                continue
            locked.add(_normal(match["name"]))
            if "--hash=sha256:" not in requirement:
                yield Finding(f"{match['name']} has no hash.", file, write, line)
        for line, requirement in _requirements(tree.text(declared)):
            name = _NAME.match(requirement)
            if name and _normal(name["name"]) not in locked:
                yield Finding(
                    f"{name['name']} is required, but {file} does not have it.",
                    declared,
                    write,
                    line,
                )


def _requirements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and text of each requirement, with its continuation lines."""
    start, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        plain = re.sub(r"(^|\s)#.*", "", line).strip()
        if not parts:
            start = number
        if plain:
            parts.append(plain.removesuffix("\\").strip())
        if parts and not plain.endswith("\\"):
            requirement = " ".join(parts)
            parts = []
            if not requirement.startswith("-"):
                yield start, requirement


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
