"""What a scenario is, and where they all are."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from observatory.schemas.journey import Journey
from stack.invariants import Invariant
from stack.scenario_runner.scenario_context import ScenarioContext

FOLDER = Path(__file__).parents[1] / "scenarios"


@dataclass(frozen=True)
class Observation:
    """What somebody saw who was there: the traces of it, and `symptom`, what a user would report
    (None where there is nothing to report)."""

    trace_ids: Sequence[str]
    symptom: str | None


@dataclass(frozen=True)
class Scenario:
    """One failure.

    `fault` is its flag. `platform_conditions` are flags that are on either way, because they are
    what the right way survives. `report` is the symptom in a user's words, `reveals` what in the
    trace tells it from every other, `fix` what the right way does.

    `breaks` are the invariants that do not hold with the fault; the others hold, and all do the
    right way. `signature` is a pure function of traces: it returns the evidence, or None where
    there is none.
    """

    fault: str
    report: str
    reveals: str
    fix: str
    provoke: Callable[[ScenarioContext], Observation]
    signature: Callable[[Sequence[Journey]], str | None]
    platform_conditions: tuple[str, ...] = ()
    breaks: frozenset[Invariant] = frozenset()


def names() -> list[str]:
    """Every scenario's name, sorted; it is its file's, with hyphens."""
    return sorted(
        path.stem.replace("_", "-") for path in FOLDER.glob("*.py") if path.stem != "__init__"
    )


def load(name: str) -> Scenario:
    """The scenario of that name."""
    module = importlib.import_module(f"stack.scenarios.{name.replace('-', '_')}")
    found: Scenario = module.SCENARIO
    return found


def load_all() -> Mapping[str, Scenario]:
    """Every scenario by its name."""
    return {name: load(name) for name in names()}
