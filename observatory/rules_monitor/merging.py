"""Which evaluations are decisions: repeats are left out, and those of one access become one.

The emulator evaluates rules before it has looked up the document that they may ask for
(firebase-tools#6252), and a write that doesn't say whether the document is there as both `create`
and `update`. If that doesn't settle it, the emulator looks the document up and evaluates again. And
it sends up to 50 past evaluations again to whoever connects.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import NamedTuple

from observatory.rules_monitor.evaluation import SET, Evaluation
from observatory.rules_monitor.typed import UNDEFINED

# The evaluation that settles it follows within some 10 ms, on a busy machine later. One that comes
# after this is a decision of its own; those before it are forgotten, or were one.
HOLD_SECONDS = 2.0
REMEMBERED = 10_000


class Decision(NamedTuple):
    """What was decided, and in how many evaluations."""

    evaluation: Evaluation
    evaluations: int


@dataclass
class _Held:
    tries: list[Evaluation]
    until: float


class Merging:
    """Takes evaluations as they are heard, gives decisions; times are a steady clock's seconds."""

    def __init__(self) -> None:
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._held: dict[tuple[str, ...], _Held] = {}

    def take(self, evaluation: Evaluation, now: float) -> Decision | None:
        """The decision that ``evaluation`` completes, if it does."""
        if evaluation.request_id in self._heard:
            return None
        self._heard[evaluation.request_id] = None
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        held = self._held.pop(evaluation.access, None)
        tries = [*(held.tries if held else []), evaluation]
        if not _may_be_followed(evaluation):
            return Decision(evaluation, len(tries))
        self._held[evaluation.access] = _Held(tries, now + HOLD_SECONDS)
        return None

    def due(self, now: float) -> list[Decision]:
        """Decisions that nothing more was heard of for a while."""
        due = [access for access, held in self._held.items() if held.until <= now]
        decided = (_decided(self._held.pop(access).tries) for access in due)
        return [decision for decision in decided if decision is not None]

    def rest(self) -> list[Decision]:
        """All that is still held, because nothing more will be heard."""
        return self.due(float("inf"))


def _may_be_followed(evaluation: Evaluation) -> bool:
    unsettled = evaluation.method in SET and evaluation.resource is UNDEFINED
    return unsettled or evaluation.outcome == "error"


def _decided(tries: list[Evaluation]) -> Decision | None:
    """The decision that ``tries`` are without another; None when they settled nothing.

    The emulator stops at the first write of a batch that is denied, so that it never settles the
    others.
    """
    last = tries[-1]
    if last.resource is not UNDEFINED:
        return Decision(last, len(tries))
    outcomes = {evaluation.outcome for evaluation in tries}
    if "error" in outcomes or len(outcomes) > 1:
        return None
    if {evaluation.method for evaluation in tries} == SET:
        allows = tuple({line: said for of in tries for line, said in of.allows}.items())
        return Decision(replace(tries[0], method="set", allows=allows), len(tries))
    return Decision(last, len(tries))
