"""Logs and metrics."""

from typing import Any

from typing_extensions import TypedDict


class StoredLine(TypedDict):
    """A log record."""

    time_unix_nano: str
    time: str
    severity_number: int
    severity_text: str
    service: str
    body: str
    event_name: str
    trace_id: str | None
    span_id: str | None
    attributes: dict[str, Any]


class LogPage(TypedDict):
    """Lines, newest first; ``next`` is where older ones go on, null when there are none."""

    logs: list[StoredLine]
    next: str | None


class Metric(TypedDict):
    """A metric of one service: how many points it has, in how many series."""

    name: str
    service: str
    type: str
    unit: str
    description: str
    points: int
    series: int


class MetricList(TypedDict):
    """Every metric that was received."""

    metrics: list[Metric]


class Series(TypedDict):
    """One series of a metric: moments in Unix milliseconds, and the value at each; null where it is
    no finite number."""

    attributes: dict[str, Any]
    points: list[tuple[float, float | None]]


class Quantiles(TypedDict):
    """What half, and 95 %, of a histogram's values stay below, at each moment."""

    p50: list[tuple[float, float | None]]
    p95: list[tuple[float, float | None]]


class MetricSeries(TypedDict):
    """The series of one metric, those with the newest points first, at most 50.

    ``rate``: the points are by how much a growing sum, or a histogram's count, grew in a second.
    ``quantiles`` is null for what is no histogram.
    """

    series: list[Series]
    quantiles: Quantiles | None
    rate: bool
