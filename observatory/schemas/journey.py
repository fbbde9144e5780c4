"""A journey: the Observatory's view of one trace, ordered by legs.

See ``schemas`` for the units of durations, offsets and times.
"""

from typing import Any, Literal

from typing_extensions import TypedDict

from observatory.schemas.promoted import PromotedFields

# What takes part in a trace; "service" is anything of which no more is known.
Party = Literal["page", "rules", "function", "vendor", "service"]
TimeCategory = Literal["vendor", "waiting", "working", "between", "after"]
# How good a final state is.
Tone = Literal["good", "warn", "bad"]


class Interval(TypedDict):
    """An interval of time within a trace."""

    offset_ms: float
    duration_ms: float


class SpanEvent(TypedDict):
    """An event of a span, such as an exception."""

    name: str
    offset_ms: float
    attributes: dict[str, Any]


class SpanLink(TypedDict):
    """A link to another span; ``stored``: its trace is in the store."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    stored: bool


class LogLine(TypedDict):
    """A log record with the trace's id."""

    span_id: str | None
    offset_ms: float
    severity_number: int
    severity_text: str
    event_name: str
    body: str
    service: str
    attributes: dict[str, Any]


class SourceLocation(TypedDict):
    """The source location that a span's ``code.*`` attributes name."""

    file: str
    line: int | None
    function: str | None


class Row(TypedDict):
    """One span, at its place in the journey.

    ``leg`` is the index of its leg, ``indent`` its depth within that leg, ``depth`` its depth
    within the trace. ``label`` is the name without an RPC's package. ``party`` is the kind of
    participant that its service is. ``wait`` is the interval between its producer's end and its own
    start. ``orphan``: its parent is not stored. ``covered``: its stored parents lead to a root.
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
    wait: Interval | None
    error: bool
    status_code: str
    status_message: str
    orphan: bool
    covered: bool
    scope: str
    source: SourceLocation | None
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[SpanEvent]
    links: list[SpanLink]
    logs: list[LogLine]


class Leg(TypedDict):
    """A leg: the spans of one service that one hop led to."""

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


class Repeat(TypedDict):
    """Steps that are equal to an earlier one, apart from their times and attributes.

    Each step is a span and the spans below it in its leg, with the same names, services, hops and
    errors. ``first`` is the span that they repeat, ``repeats`` are the others, in order of time.
    ``spans`` counts those of the repeats. They took from ``shortest_ms`` to ``longest_ms``.
    """

    first: str
    repeats: list[str]
    spans: int
    errors: int
    from_ms: float
    to_ms: float
    shortest_ms: float
    longest_ms: float


class Finding(TypedDict):
    """Something about a span that looks healthy and is probably not."""

    kind: Literal["rolled_back", "no_outcome"]
    span_id: str
    text: str


class IncomingLink(TypedDict):
    """A span of another trace, with a link to the span ``to_span_id`` of this one."""

    trace_id: str
    span_id: str
    service: str
    name: str
    to_span_id: str


class TimeShare(TypedDict):
    """The time that a journey spent in one category; the categories add up to its duration.

    ``after`` is the time after ``wait_ms`` of the journey.
    """

    where: TimeCategory
    label: str
    duration_ms: float


class PathSegment(Interval):
    """A segment of the critical path.

    ``run``: the span itself was working, outside of its child spans. ``wait``: the span had not
    started yet, and the span that caused it had ended.
    """

    span_id: str
    kind: Literal["run", "wait"]


class SkewedClock(TypedDict):
    """A service whose clock is wrong: ahead by ``offset_ms``, or behind when that is negative.

    ``evidence`` says which spans have impossible times without this offset.
    """

    service: str
    offset_ms: float
    evidence: str


class Skew(TypedDict):
    """The services whose clocks disagree with the rest of the trace."""

    services: list[SkewedClock]


class Journey(PromotedFields):
    """One trace: its legs in the order in which they began, and what follows from its spans.

    ``wait_ms`` is when the user's wait ended. ``state_tone`` says how good the final state is; null
    when the state is not final. ``awaiting`` counts the uncovered spans that lead to an absent
    parent, while that may still arrive: until the grace period has ended, ``orphans`` and
    ``missing_parents`` are no reason for an alarm. ``repeats`` are steps that can be left out of a
    view, and ``linked_from`` the spans of other traces that link to this one. ``parts`` divides the
    duration by category. ``skew`` is null when the clocks agree; ``skew_corrected``: the times have
    been corrected by it. ``truncated``: the trace has more spans than the rows.
    """

    trace_id: str
    root: str | None
    headline: str
    summary: str
    started_unix_nano: str
    started_at: str
    duration_ms: float
    wait_ms: float
    state_tone: Tone | None
    last_received_ms_ago: float
    services: list[str]
    hops: list[str]
    spans: int
    errors: int
    orphans: int
    missing_parents: list[str]
    awaiting: int
    covered: int
    coverage: float
    parts: list[TimeShare]
    legs: list[Leg]
    rows: list[Row]
    logs: list[LogLine]
    repeats: list[Repeat]
    findings: list[Finding]
    linked_from: list[IncomingLink]
    critical_path: list[PathSegment]
    skew: Skew | None
    skew_corrected: bool
    truncated: bool
