"""What a fault is, and how the wrong version of a function declares itself as one."""

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
    """The wrong version of a function. `module` and `function` name the right one; `wrong` has the
    same signature."""

    module: str
    function: str
    wrong: Callable[..., Any]

    @property
    def target(self) -> str:
        """Return the name of the right function as `@replaces` takes it."""
        return f"{self.module}:{self.function}"


@dataclass(frozen=True)
class Fault:
    """One bug on purpose.

    `name` is its flag, `kind` the sort of mistake it is. `where` is the module of boxoffice that
    goes wrong, or "page", whose faults are on where its address says so, as in `?fault=NAME` after
    `page`; `summary` says what it then does. `replacement` is the function that goes wrong, where
    it is one of the stages'.
    """

    name: str
    kind: Kind
    where: str
    summary: str
    page: str = "/"
    replacement: Replacement | None = None


def replaces(target: str, *, flag: str, kind: Kind) -> Callable[[Function], Function]:
    """Declare the decorated function as the wrong version of `target`, for while `flag` is on.

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
    """Return the faults that an imported module declares, in its order."""
    return tuple(_declared[module])


def _first_sentence(function: Callable[..., Any]) -> str:
    """Return the first paragraph of a docstring, without its full stop."""
    paragraph = (inspect.getdoc(function) or "").partition("\n\n")[0]
    return " ".join(paragraph.split()).removesuffix(".")
