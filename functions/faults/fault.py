"""The `Fault` type, and the decorator that declares the wrong version of a function as one."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Kind = Literal[
    "claims",
    "clocks",
    "delivery",
    "indexes",
    "instance",
    "loop",
    "plain",
    "reads",
    "retries",
    "rules",
    "tracing",
    "vendor",
    "writes",
]

Function = TypeVar("Function", bound=Callable[..., Any])

_declared: dict[str, list[Fault]] = defaultdict(list)


@dataclass(frozen=True)
class Replacement:
    """A function's wrong version, `wrong`, and the module and name of the right one.

    Both have the same signature.
    """

    module: str
    function: str
    wrong: Callable[..., Any]

    @property
    def target(self) -> str:
        """Return the right function's name, as in "boxoffice.charge:idempotency_key"."""
        return f"{self.module}:{self.function}"


@dataclass(frozen=True)
class Fault:
    """One intentional bug.

    `name` is its flag and `kind` the category of mistake. `where` is the module of boxoffice that
    it affects, or "page". A fault of the page is turned on by `?fault=NAME` in the URL, after the
    path `page`, and has no `replacement`. `summary` describes the wrong behaviour in one sentence.
    """

    name: str
    kind: Kind
    where: str
    summary: str
    page: str = "/"
    replacement: Replacement | None = None


def replaces(target: str, *, flag: str, kind: Kind) -> Callable[[Function], Function]:
    """Declare the decorated function as the wrong version of `target`, used while `flag` is on.

    `target` names a top-level, undecorated, synchronous function of the same signature, as in
    "boxoffice.charge:idempotency_key". The first paragraph of the docstring is the
    fault's summary.
    """
    module, _, name = target.partition(":")

    def declare(wrong: Function) -> Function:
        _declared[wrong.__module__].append(
            Fault(
                name=flag,
                kind=kind,
                where=module.rpartition(".")[2],
                summary=_first_sentence(wrong),
                replacement=Replacement(module, name, wrong),
            )
        )
        return wrong

    return declare


def declared_in(module: str) -> tuple[Fault, ...]:
    """Return the faults that an imported module declares, in source order."""
    return tuple(_declared[module])


def _first_sentence(function: Callable[..., Any]) -> str:
    """Return the first paragraph of a docstring, without its full stop."""
    paragraph = (inspect.getdoc(function) or "").partition("\n\n")[0]
    return " ".join(paragraph.split()).removesuffix(".")
