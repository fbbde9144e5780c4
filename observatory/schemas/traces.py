"""The list of traces, and context coverage."""

from typing_extensions import TypedDict

from observatory.schemas.journey import Tone
from observatory.schemas.promoted import PromotedFields


class TraceLine(PromotedFields):
    """One trace in the list of traces; ``state_tone`` is null when its state is not final."""

    trace_id: str
    root: str
    root_service: str
    services: list[str]
    spans: int
    errors: int
    orphans: int
    coverage: float
    started_unix_nano: str
    started_at: str
    duration_ms: float
    state_tone: Tone | None


class TraceList(TypedDict):
    """A page of traces. ``total`` counts all that match; ``next_cursor`` requests the next page."""

    revision: str
    total: int
    traces: list[TraceLine]
    next_cursor: str | None


class ServiceCoverage(TypedDict):
    """Context coverage of the spans of one service."""

    service: str
    spans: int
    covered: int
    orphans: int


class HopCoverage(TypedDict):
    """The receiving spans of one hop (``throughline.hop``), counted by ``throughline.context``."""

    hop: str
    carried: int
    absent: int
    invalid: int
    orphans: int


class Coverage(TypedDict):
    """Context coverage of all stored spans; ``coverage`` is null while there are none.

    ``roots`` counts the declared roots by kind (``throughline.root``). ``broken`` lists the newest
    traces with orphans or uncovered spans, at most 20.
    """

    spans: int
    traces: int
    covered: int
    orphans: int
    coverage: float | None
    services: list[ServiceCoverage]
    hops: list[HopCoverage]
    roots: dict[str, int]
    broken: list[TraceLine]
