"""Comparing one trace with others: its unusual steps, and the differences between two traces."""

from typing import Literal

from typing_extensions import TypedDict

from observatory.schemas.journey import Tone
from observatory.schemas.promoted import PromotedFields

Verdict = Literal["same", "slower", "faster", "missing", "added"]


class SentencePart(TypedDict):
    """A piece of a sentence; ``strong``: to be emphasised."""

    text: str
    strong: bool


class Step(TypedDict):
    """A step of a trace: spans with the same hop, service and name are the same step."""

    hop: str | None
    service: str
    name: str


class Unusual(TypedDict):
    """A step that few or most of the other traces have: ``usual_share`` of them, from 0 to 1."""

    hop: str | None
    service: str
    name: str
    usual_share: float


class Missing(Unusual):
    """A step that most of the other traces have and this one lacks.

    ``after`` is the step of this trace that would have led to it: its nearest caller in the other
    traces that this trace has too. Null when this trace has none of its callers. ``follows``: its
    usual caller is missing too, so it is a consequence.
    """

    after: Step | None
    follows: bool


class Repeated(TypedDict):
    """A step that occurs more often in this trace than in nearly all others."""

    hop: str | None
    service: str
    name: str
    times: int
    usual_times: int


class UnusualSteps(TypedDict):
    """How a trace's steps differ from those of ``compared_with`` recent traces with the same root.

    ``same_state``: it was compared only with traces whose subject reached the same state. The lists
    are empty when there are too few other traces to tell what is usual. A missing step comes after
    the missing step that would have called it. ``weak_baseline``: most of the compared traces have
    errors, lost their context, or ended badly, so what is usual may be wrong.
    """

    compared_with: int
    same_state: bool
    weak_baseline: bool
    missing: list[Missing]
    repeated: list[Repeated]
    added: list[Unusual]


class DiffSide(TypedDict):
    """A step's span in one of two traces; ``wait_ms`` is how long its message was queued."""

    span_id: str
    offset_ms: float
    duration_ms: float
    wait_ms: float
    error: bool


class DiffTrace(PromotedFields):
    """A summary of one of two traces; ``truncated``: it has more spans than were compared."""

    trace_id: str
    root: str | None
    headline: str
    started_at: str
    duration_ms: float
    state_tone: Tone | None
    spans: int
    errors: int
    orphans: int
    services: list[str]
    truncated: bool


class DiffRow(TypedDict):
    """A step that both traces have, or only one of them.

    ``key`` identifies the step's place in the tree, ``depth`` is its depth there. ``missing``: only
    the left trace has it. ``added``: only the right trace has it. ``delta_ms`` is the difference of
    wait and duration together, positive when the right trace is slower.
    """

    key: str
    hop: str | None
    service: str
    name: str
    depth: int
    left: DiffSide | None
    right: DiffSide | None
    delta_ms: float | None
    verdict: Verdict


class Diff(TypedDict):
    """Two traces side by side, and their main differences in words.

    ``skewed``: the clocks of at least one of the traces disagree.
    """

    left: DiffTrace
    right: DiffTrace
    skewed: bool
    rows: list[DiffRow]
    sentence: list[SentencePart]
