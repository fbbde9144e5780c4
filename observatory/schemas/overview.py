"""Many traces: how they are distributed, and how a subset differs from the rest."""

from typing import Literal

from typing_extensions import TypedDict

from observatory.schemas.comparison import SentencePart


class HeatmapRow(TypedDict):
    """A row of the heatmap: durations from ``least_ms`` to less than ``most_ms``."""

    least_ms: float
    most_ms: float


class Heatmap(TypedDict):
    """Traces by start time and duration.

    ``cells`` are ``[column, row, traces, traces with errors]``, without the empty ones. A column is
    ``column_ms`` wide, and the first one begins at ``from_ms``. When the query leaves the time
    range open, traces with outlying start times, such as 1970 or 2100, are left out of the cells
    and counted by ``outside``. All other figures include every trace that matches. ``coverage`` and
    the quantiles are null when no trace matches.
    """

    revision: str
    from_ms: float
    to_ms: float
    column_ms: float
    rows: list[HeatmapRow]
    cells: list[tuple[int, int, int, int]]
    outside: int
    total: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    orders: int
    coverage: float | None
    orphans: int


class ComparedValue(TypedDict):
    """A value, or a range of numbers, and the share of traces with it on either side.

    ``filter`` matches the traces with it.
    """

    label: str
    filter: str
    inside: float
    outside: float
    inside_count: int
    outside_count: int


class ComparedAttribute(TypedDict):
    """The distribution of an attribute inside and outside of the subset.

    ``difference`` is the largest difference between the shares of a value, from 0 to 1.
    ``known_at_start``: it was set on the first span of the traces, so it cannot be a consequence of
    what happened in them. Others may be consequences.
    """

    key: str
    kind: Literal["text", "number", "derived"]
    known_at_start: bool
    difference: float
    values: list[ComparedValue]


class Contrast(TypedDict):
    """How a subset of the traces differs from the rest.

    Clear differences in what was known at the start come first, then the others; in both groups the
    largest first.

    ``selected`` counts the traces inside the subset, ``rest`` those outside.
    """

    selected: int
    rest: int
    sentence: list[SentencePart]
    attributes: list[ComparedAttribute]


class Key(TypedDict):
    """A key that filters can use; ``values`` is its number of distinct values."""

    key: str
    kind: Literal["text", "number", "derived"]
    values: int
    examples: list[str]


class Keys(TypedDict):
    """The keys that filters can use."""

    keys: list[Key]


class KeyValue(TypedDict):
    """A value of a key, and the number of traces with it."""

    value: str
    count: int


class Values(TypedDict):
    """The values of one key, the most frequent first."""

    values: list[KeyValue]
