"""Runs one scenario, with its fault or fixed, and returns the result."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from observatory.schemas.journey import Journey
from stack.invariants import Invariant
from stack.local.addresses import StackAddresses
from stack.scenario_runner.scenario import Scenario
from stack.scenario_runner.scenario_context import scenario_context


@dataclass(frozen=True)
class ScenarioRun:
    """The result of one scenario.

    Attributes:
        name: name of the scenario.
        fixed: whether the fault was off.
        symptom: the symptom that occurred, if any.
        evidence: the evidence that the signature found in the traces, if any.
        journeys: the traces.
        url: address of the first trace.
        wall_s: duration in seconds.
        broken: the invariants that did not hold.
        expected_broken: the invariants that the fault breaks.
    """

    name: str
    fixed: bool
    symptom: str | None
    evidence: str | None
    journeys: Sequence[Journey]
    url: str
    wall_s: float
    broken: frozenset[Invariant] = frozenset()
    expected_broken: frozenset[Invariant] = frozenset()

    @property
    def is_as_expected(self) -> bool:
        """Return whether the result is the expected one.

        With the fault: symptom and evidence. Fixed: neither. In both cases exactly the expected
        invariants are broken.
        """
        shown = [self.symptom is None, self.evidence is None] == [self.fixed, self.fixed]
        return shown and self.broken == self.expected_broken

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "scenario": self.name,
            "fixed": self.fixed,
            "symptom_seen": self.symptom is not None,
            "signature_found": self.evidence is not None,
            "symptom": self.symptom,
            "evidence": self.evidence,
            "invariants_broken": sorted(self.broken),
            "trace_ids": [journey["trace_id"] for journey in self.journeys],
            "url": self.url,
            "wall_s": round(self.wall_s, 2),
        }


@dataclass(frozen=True)
class FalseMatch:
    """A scenario's signature that matches another scenario's traces."""

    signature: str
    traces_of: str
    evidence: str


def run_scenario(
    addresses: StackAddresses, name: str, scenario: Scenario, *, fixed: bool
) -> ScenarioRun:
    """Run a scenario on a running stack, and restore the stack afterwards.

    Raises:
        UserError: the failure can't be provoked.
    """
    began = time.monotonic()
    on = {*scenario.platform_conditions, *(() if fixed else (scenario.fault,))}
    with scenario_context(addresses) as context, context.flags.only(on):
        observation = scenario.provoke(context)
        journeys = context.complete_traces(observation.trace_ids)
        evidence = scenario.signature(journeys)
        broken = context.broken_invariants()
    return ScenarioRun(
        name,
        fixed,
        observation.symptom,
        evidence,
        journeys,
        f"{addresses.observatory}/traces/{observation.trace_ids[0]}",
        time.monotonic() - began,
        broken,
        frozenset() if fixed else scenario.breaks,
    )


def false_matches(
    scenarios: Mapping[str, Scenario], played: Mapping[str, Sequence[Journey]]
) -> list[FalseMatch]:
    """Return every signature that matches the traces of another scenario.

    Args:
        scenarios: the scenarios by name.
        played: the traces of each scenario, by its name.
    """
    return [
        FalseMatch(name, other, evidence)
        for name, scenario in scenarios.items()
        for other, journeys in played.items()
        if other != name and (evidence := scenario.signature(journeys)) is not None
    ]
