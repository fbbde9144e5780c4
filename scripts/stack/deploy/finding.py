"""What a check finds: a sentence, the file and line it is about, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stack.deploy.tree import Tree


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes:
        message: what is wrong, with the value.
        file: the file that has to change, relative to the root of the tree.
        hint: what to do about it.
        line: the line in the file, from 1; None if the mistake is about the whole file.
    """

    message: str
    file: str
    hint: str
    line: int | None = None

    @property
    def place(self) -> str:
        """Return the file, and the line if it is known, as FILE:LINE."""
        return f"{self.file}:{self.line}" if self.line else self.file


class NotPossible(Exception):
    """A check cannot run, because another check found that something it needs is broken."""


@dataclass(frozen=True)
class Check:
    """One check of a tree, before it is deployed.

    Attributes:
        name: how the report calls it.
        about: what holds if the check finds nothing.
        run: yields the findings. Raises NotPossible if another check reports what is in the way.
    """

    name: str
    about: str
    run: Callable[[Tree], Iterable[Finding]]
