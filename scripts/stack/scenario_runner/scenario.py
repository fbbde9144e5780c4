"""Defines a scenario, and loads the scenarios."""

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
    """The result of provoking a failure: the traces, and the symptom that a user would report.

    `symptom` is None if the failure did not occur.
    """

    trace_ids: Sequence[str]
    symptom: str | None


@dataclass(frozen=True)
class Scenario:
    """One failure, caused by a fault.

    Attributes:
        fault: the fault's flag.
        report: the symptom in a user's words.
        reveals: what in the traces distinguishes this failure from all others.
        fix: what the correct code does.
        provoke: causes the failure on a running stack.
        signature: a pure function that returns the evidence in traces, or None.
        platform_conditions: conditions that are on with and without the fault; the correct code
            survives them.
        breaks: the invariants that do not hold with the fault; without it all of them hold.
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
    """Return the names of all scenarios, sorted: the file names, with hyphens."""
    return sorted(
        path.stem.replace("_", "-") for path in FOLDER.glob("*.py") if path.stem != "__init__"
    )


def load(name: str) -> Scenario:
    """Return the scenario with that name."""
    module = importlib.import_module(f"stack.scenarios.{name.replace('-', '_')}")
    scenario: Scenario = module.SCENARIO
    return scenario


def load_all() -> Mapping[str, Scenario]:
    """Return all scenarios by name."""
    return {name: load(name) for name in names()}
