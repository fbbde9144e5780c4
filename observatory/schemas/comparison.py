"""One trace beside others: what is unusual about it, and how two differ."""

from typing import Literal

from typing_extensions import TypedDict

from observatory.schemas.promoted import PromotedFields

Verdict = Literal["same", "slower", "faster", "missing", "added"]


class SentencePart(TypedDict):
    """A piece of a sentence; ``strong`` where the eye should fall."""

    text: str
    strong: bool


class Step(TypedDict):
    """What spans are the same step by."""

    hop: str | None
    service: str
    name: str


class Unusual(TypedDict):
    """A span that is seldom there, or usually is: ``usual_share`` of the others have it."""

    hop: str | None
    service: str
    name: str
    usual_share: float


class Missing(Unusual):
    """A span that usually is there; ``after`` which step that is there it would have come, by
    who calls it in the others. Null when that is none of them."""

    after: Step | None


class Repeated(TypedDict):
    """A span that is there more often than in nearly all others."""

    hop: str | None
    service: str
    name: str
    times: int
    usual_times: int


class UnusualShape(TypedDict):
    """What sets a trace apart from ``compared_with`` recent others that began the same way.

    ``same_state``: only with those whose order came to the same state. The lists are empty when
    there are too few others to say what is usual. What is missing is told after what would have
    called it.
    """

    compared_with: int
    same_state: bool
    missing: list[Missing]
    repeated: list[Repeated]
    added: list[Unusual]


class Side(TypedDict):
    """A span of one of two traces; ``wait_ms`` is how long it was waited for before it began."""

    span_id: str
    offset_ms: float
    duration_ms: float
    wait_ms: float
    error: bool


class Head(PromotedFields):
    """What a trace is known by."""

    trace_id: str
    root: str | None
    headline: str
    started_at: str
    duration_ms: float
    spans: int
    errors: int
    orphans: int
    services: list[str]


class DiffRow(TypedDict):
    """The same step in two traces. ``key`` identifies its place, ``depth`` is how deep that is.

    ``missing``: only the left one has it; ``added``: only the right one. ``delta_ms`` is by how
    much wait and duration together are longer on the right.
    """

    key: str
    hop: str | None
    service: str
    name: str
    depth: int
    left: Side | None
    right: Side | None
    delta_ms: float | None
    verdict: Verdict


class Diff(TypedDict):
    """Two traces side by side, and their main difference in a sentence.

    ``skewed`` says whether clocks of either can't be right.
    """

    left: Head
    right: Head
    skewed: bool
    rows: list[DiffRow]
    sentence: list[SentencePart]
