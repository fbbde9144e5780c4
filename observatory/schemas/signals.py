"""Logs and metrics."""

from typing import Any

from typing_extensions import TypedDict


class LogRecord(TypedDict):
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
    """A page of log records, newest first; ``next`` is the cursor of the older ones, or null."""

    logs: list[LogRecord]
    next: str | None


class Metric(TypedDict):
    """A metric of one service, and its number of points and series."""

    name: str
    service: str
    type: str
    unit: str
    description: str
    points: int
    series: int


class MetricList(TypedDict):
    """Every stored metric."""

    metrics: list[Metric]


class Series(TypedDict):
    """One series of a metric: pairs of a time in Unix milliseconds and a value.

    A value is null when it is not a finite number. ``instance`` has the attributes by which its
    process differs from those of the other series, such as ``service.instance.id``.
    """

    attributes: dict[str, Any]
    instance: dict[str, Any]
    points: list[tuple[float, float | None]]


class Quantiles(TypedDict):
    """The median and the 95th percentile of a histogram's values at each time."""

    p50: list[tuple[float, float | None]]
    p95: list[tuple[float, float | None]]


class MetricSeries(TypedDict):
    """The series of one metric, at most 50, those with the newest points first.

    ``rate``: the points are the increase per second of a monotonic sum or of a histogram's count.
    ``quantiles`` is null unless the metric is a histogram.
    """

    series: list[Series]
    quantiles: Quantiles | None
    rate: bool
