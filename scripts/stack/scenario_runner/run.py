"""Run one scenario, with its fault or the right way, and return what was seen."""

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
    """What came of one scenario. `symptom` and `evidence` are None where there was none; `broken`
    are the invariants that did not hold, and `expected_broken` those that should not."""

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
        """Both symptom and signature with the fault, and neither the right way; and of the
        invariants only those broken that the fault breaks."""
        shown = [self.symptom is None, self.evidence is None] == [self.fixed, self.fixed]
        return shown and self.broken == self.expected_broken

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints of it."""
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
    """A scenario's signature that was found in another's traces."""

    signature: str
    traces_of: str
    evidence: str


def run_scenario(
    addresses: StackAddresses, name: str, scenario: Scenario, *, fixed: bool
) -> ScenarioRun:
    """Run a scenario on a running stack, and leave the stack as it was.

    Raises:
        UserError: what leads to the failure can't be brought about.
    """
    began = time.monotonic()
    on = {*scenario.platform_conditions, *(() if fixed else (scenario.fault,))}
    with scenario_context(addresses) as context, context.flags.only(on):
        seen = scenario.provoke(context)
        journeys = context.complete_traces(seen.trace_ids)
        evidence = scenario.signature(journeys)
        broken = context.broken_invariants()
    return ScenarioRun(
        name,
        fixed,
        seen.symptom,
        evidence,
        journeys,
        f"{addresses.observatory}/traces/{seen.trace_ids[0]}",
        time.monotonic() - began,
        broken,
        frozenset() if fixed else scenario.breaks,
    )


def false_matches(
    scenarios: Mapping[str, Scenario], played: Mapping[str, Sequence[Journey]]
) -> list[FalseMatch]:
    """Every signature that is found in the traces of a scenario that is not its own."""
    return [
        FalseMatch(name, other, evidence)
        for name, scenario in scenarios.items()
        for other, journeys in played.items()
        if other != name and (evidence := scenario.signature(journeys)) is not None
    ]
