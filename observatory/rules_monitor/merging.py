"""Which evaluations are decisions: repeats are left out, and those of one access become one.

The emulator evaluates rules that read a document before it has looked that document up, which
fails, looks it up and evaluates again (firebase-tools#6252). And it sends up to 50 past evaluations
again to whoever connects.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from observatory.rules_monitor.evaluation import Evaluation

# An error may be a first try. The second follows within some 100 ms; on a busy machine it may take
# longer, and one that is taken for final too early is a span that says what isn't so.
HOLD_SECONDS = 3.0
REMEMBERED = 10_000


class Decision(NamedTuple):
    """What was decided, and in how many evaluations."""

    evaluation: Evaluation
    evaluations: int


@dataclass
class _Held:
    decision: Decision
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
        earlier = self._held.pop(evaluation.same_request, None)
        decision = Decision(evaluation, 1 + (earlier.decision.evaluations if earlier else 0))
        if evaluation.outcome != "error":
            return decision
        self._held[evaluation.same_request] = _Held(decision, now + HOLD_SECONDS)
        return None

    def due(self, now: float) -> list[Decision]:
        """The errors that no second evaluation followed: they were the decision."""
        due = [key for key, held in self._held.items() if held.until <= now]
        return [self._held.pop(key).decision for key in due]

    def rest(self) -> list[Decision]:
        """All that is still held, because nothing more will be heard."""
        return self.due(float("inf"))
