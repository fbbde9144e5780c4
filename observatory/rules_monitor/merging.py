"""Merge the evaluations of one access into one decision, and drop repeated messages.

The emulator evaluates the rules before it has looked up the document (firebase-tools#6252), and a
write without a precondition as both `create` and `update`. If the outcome depends on the document,
the emulator looks it up and evaluates again. It also repeats up to 50 past evaluations on each
connection.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import NamedTuple

from observatory.rules_monitor.evaluation import SET, Evaluation
from observatory.rules_monitor.typed import UNDEFINED

# The deciding evaluation follows within about 10 ms, later on a busy machine. One that arrives
# after this time counts as a decision of its own.
HOLD_SECONDS = 2.0
REMEMBERED = 10_000


class Decision(NamedTuple):
    """A decision and the number of evaluations that it took."""

    evaluation: Evaluation
    evaluations: int


@dataclass
class _Held:
    evaluations: list[Evaluation]
    until: float


class Merging:
    """Merges evaluations into decisions; ``now`` is in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._held: dict[tuple[str, ...], _Held] = {}

    def take(self, evaluation: Evaluation, now: float) -> Decision | None:
        """Return the decision that ``evaluation`` completes, or None."""
        if evaluation.request_id in self._seen:
            return None
        self._seen[evaluation.request_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        held = self._held.pop(evaluation.access, None)
        evaluations = [*(held.evaluations if held else []), evaluation]
        if not _may_be_followed(evaluation):
            return Decision(evaluation, len(evaluations))
        self._held[evaluation.access] = _Held(evaluations, now + HOLD_SECONDS)
        return None

    def due(self, now: float) -> list[Decision]:
        """Return the held decisions that no further evaluation followed in time."""
        due = [access for access, held in self._held.items() if held.until <= now]
        decided = (_decided(self._held.pop(access).evaluations) for access in due)
        return [decision for decision in decided if decision is not None]

    def rest(self) -> list[Decision]:
        """Return all held decisions, because no more evaluations will arrive."""
        return self.due(float("inf"))


def _may_be_followed(evaluation: Evaluation) -> bool:
    unsettled = evaluation.method in SET and evaluation.resource is UNDEFINED
    return unsettled or evaluation.outcome == "error"


def _decided(evaluations: list[Evaluation]) -> Decision | None:
    """Return the decision of ``evaluations`` that no other followed; None if they decide nothing.

    The emulator stops at the first denied write of a batch, so it never decides the others.
    """
    last = evaluations[-1]
    if last.resource is not UNDEFINED:
        return Decision(last, len(evaluations))
    outcomes = {evaluation.outcome for evaluation in evaluations}
    if "error" in outcomes or len(outcomes) > 1:
        return None
    if {evaluation.method for evaluation in evaluations} == SET:
        allows = tuple(
            {line: allowed for each in evaluations for line, allowed in each.allows}.items()
        )
        as_set = replace(evaluations[0], method="set", allows=allows)
        return Decision(as_set, len(evaluations))
    return Decision(last, len(evaluations))
