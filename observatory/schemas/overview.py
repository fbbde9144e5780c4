"""Many traces at once: how they are distributed, and what sets some of them apart."""

from typing import Literal

from typing_extensions import TypedDict

from observatory.schemas.comparison import SentencePart


class HeatmapRow(TypedDict):
    """A row of the heatmap: traces that took at least ``least_ms`` and less than ``most_ms``."""

    least_ms: float
    most_ms: float


class Heatmap(TypedDict):
    """Traces by when they began and how long they took.

    ``cells`` are ``[column, row, traces, traces with errors]``, those that aren't empty; a column
    is ``column_ms`` wide and the first begins at ``from_ms``. Where the question leaves the range
    open, traces whose times are far from all others, such as 1970 or 2100, stay outside of it:
    ``outside`` counts them. All other figures are about every trace that matches. ``coverage``
    and the quantiles are null when there is none.
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
    """A value, or a range of numbers, and the share of traces that have it.

    ``filter`` finds the traces that have it.
    """

    label: str
    filter: str
    inside: float
    outside: float
    inside_count: int
    outside_count: int


class ComparedAttribute(TypedDict):
    """How an attribute is distributed inside a selection and outside.

    ``difference`` is the largest difference of shares, from 0 to 1.
    """

    key: str
    kind: Literal["text", "number", "derived"]
    difference: float
    values: list[ComparedValue]


class Contrast(TypedDict):
    """What sets the selected traces apart from the rest, most telling first."""

    selected: int
    rest: int
    sentence: list[SentencePart]
    attributes: list[ComparedAttribute]


class Key(TypedDict):
    """A key that filters may name; ``values`` is how many different ones it has."""

    key: str
    kind: Literal["text", "number", "derived"]
    values: int
    examples: list[str]


class Keys(TypedDict):
    """What filters may name."""

    keys: list[Key]


class KeyValue(TypedDict):
    """A value of a key, and how many traces have it."""

    value: str
    count: int


class Values(TypedDict):
    """Values of one key, the most frequent first."""

    values: list[KeyValue]
