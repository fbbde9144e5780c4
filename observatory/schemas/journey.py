"""The JSON that the API answers with, as types: what ``journey`` makes and ``client`` reads.

Durations and offsets are milliseconds with a fraction; an offset counts from the first span's
start. Absolute times are nanoseconds since 1970, as text, because they don't fit a JSON number.
"""

from typing import Any, Literal

from typing_extensions import TypedDict

from observatory.schemas.promoted import PromotedFields

Party = Literal["page", "rules", "function", "vendor"]
Where = Literal["vendor", "waiting", "ours", "between"]


class Stretch(TypedDict):
    """A piece of time within a trace."""

    offset_ms: float
    duration_ms: float


class Event(TypedDict):
    """Something that happened during a span, such as an exception."""

    name: str
    offset_ms: float
    attributes: dict[str, Any]


class Link(TypedDict):
    """A span that this one points at; ``stored`` says whether its trace is here."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    stored: bool


class LogLine(TypedDict):
    """A log record that carries the trace's id."""

    span_id: str | None
    offset_ms: float
    severity_number: int
    severity_text: str
    event_name: str
    body: str
    service: str
    attributes: dict[str, Any]


class Source(TypedDict):
    """Where in the source a span was made, as far as its ``code.*`` attributes tell."""

    file: str
    line: int | None
    function: str | None


class Row(TypedDict):
    """One span, in its place in the journey.

    ``leg`` is the index of its leg; ``indent`` its depth within that leg; ``depth`` its depth
    within the trace. ``wait`` is the time between its producer's end and its own start.
    ``label`` is the name without an RPC's package.
    ``orphan``: its parent is named but not here. ``covered``: its parents lead to a declared root.
    """

    span_id: str
    parent_span_id: str | None
    leg: int
    indent: int
    depth: int
    name: str
    label: str
    kind: str
    service: str
    party: Party
    hop: str | None
    carrier: str | None
    context: str | None
    root: str | None
    offset_ms: float
    duration_ms: float
    wait: Stretch | None
    error: bool
    status_code: str
    status_message: str
    orphan: bool
    covered: bool
    scope: str
    source: Source | None
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[Event]
    links: list[Link]
    logs: list[LogLine]


class Leg(TypedDict):
    """The part of a journey that one hop began and one service did."""

    span_id: str
    name: str
    service: str
    party: Party
    hop: str | None
    offset_ms: float
    duration_ms: float
    wait_ms: float
    spans: int
    errors: int


class Part(TypedDict):
    """How much of a journey's time went where; the parts add up to its duration."""

    where: Where
    label: str
    duration_ms: float


class CriticalStretch(Stretch):
    """A stretch of time that the end of the journey waited for.

    ``run``: the span was at work, on nothing that is a span of its own. ``wait``: the span had not
    begun yet, and what caused it had ended.
    """

    span_id: str
    kind: Literal["run", "wait"]


class ServiceSkew(TypedDict):
    """How far a service's clock is from the others': ahead by ``offset_ms``, behind when negative.

    ``evidence`` says which spans could not have happened as they were told.
    """

    service: str
    offset_ms: float
    evidence: str


class Skew(TypedDict):
    """Services whose clocks disagree with the rest of the trace."""

    services: list[ServiceSkew]


class Journey(PromotedFields):
    """One trace, in the order a person follows it.

    ``skew`` is null when the clocks agree; ``skew_corrected`` says whether the times given here
    are corrected by it. ``truncated``: there are more spans than the rows show.
    """

    trace_id: str
    root: str | None
    headline: str
    summary: str
    started_unix_nano: str
    started_at: str
    duration_ms: float
    last_received_ms_ago: float
    services: list[str]
    hops: list[str]
    spans: int
    errors: int
    orphans: int
    missing_parents: list[str]
    covered: int
    coverage: float
    parts: list[Part]
    legs: list[Leg]
    rows: list[Row]
    logs: list[LogLine]
    critical_path: list[CriticalStretch]
    skew: Skew | None
    skew_corrected: bool
    truncated: bool
