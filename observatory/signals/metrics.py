"""List metrics, and compute their values over time."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

import duckdb

from observatory.compare.selection import NANOS_PER_MS, nanos
from observatory.schemas.signals import Metric, MetricSeries, Series
from observatory.signals.points import Point, finite
from observatory.signals.quantiles import quantiles_of
from observatory.store.values import attributes_of

SERIES_LIMIT = 50
POINTS_LIMIT = 100_000
# Which attribute names an instance of a service, the best first.
INSTANCE_KEYS = ("service.instance.id", "faas.instance", "host.name", "process.pid")

METRICS = """
select name, service_name, any_value(type), any_value(unit), any_value(description), count(*),
    count(distinct (attributes, resource_id))
from raw_metrics group by name, service_name order by name, service_name
"""
RESOURCES = """
select resource_id, attributes, attribute_types from resources
where resource_id in (select unnest($ids::ubigint[]))
"""
POINTS = """
select time_unix_nano, start_unix_nano, value, count, sum, bounds, bucket_counts, max_value,
    attributes, attribute_types, resource_id, type, coalesce(is_monotonic, false), temporality
from raw_metrics
where name = $name and service_name = $service
    and time_unix_nano >= $since and time_unix_nano < $until
order by time_unix_nano desc limit $limit
"""


def list_metrics(reader: duckdb.DuckDBPyConnection) -> list[Metric]:
    """List every metric of every service."""
    return [
        {
            "name": name,
            "service": service,
            "type": type_,
            "unit": unit,
            "description": description,
            "points": points,
            "series": series,
        }
        for name, service, type_, unit, description, points, series in reader.execute(
            METRICS
        ).fetchall()
    ]


def series_of(
    reader: duckdb.DuckDBPyConnection,
    metric: tuple[str, str],
    from_ms: float | None,
    to_ms: float | None,
) -> MetricSeries:
    """Return the series of one metric within a period.

    Args:
        reader: a cursor of the store.
        metric: the metric's name, and that of its service.
        from_ms: the start of the period in Unix milliseconds; None for no start.
        to_ms: the end of the period, exclusive; None for no end.
    """
    since = 0 if from_ms is None else nanos(from_ms)
    parameters = {
        "name": metric[0],
        "service": metric[1],
        "since": since,
        "until": 2**63 - 1 if to_ms is None else nanos(to_ms),
        "limit": POINTS_LIMIT,
    }
    groups: defaultdict[tuple[Any, ...], list[Point]] = defaultdict(list)
    newest_first = [Point(*row) for row in reader.execute(POINTS, parameters).fetchall()]
    for point in newest_first:
        key = point.resource_id, point.attribute_types, *point.attributes.items()
        groups[key].append(point)
    if len(newest_first) == POINTS_LIMIT:  # the first points of the period may be missing
        since = newest_first[-1].time_unix_nano
    all_series = [points[::-1] for points in groups.values()][:SERIES_LIMIT]
    instances = _instances(reader, {points[-1].resource_id for points in all_series})
    series: list[Series] = [
        {
            "attributes": attributes_of(points[-1].attributes, points[-1].attribute_types),
            "instance": instances.get(points[-1].resource_id, {}),
            "points": [(time_ms, finite(value)) for time_ms, value in _values(points, since)],
        }
        for points in all_series
    ]
    return {
        "series": series,
        "quantiles": quantiles_of(all_series, since) if _is_histogram(newest_first) else None,
        "rate": any(point.is_counted for point in newest_first[:1]),
    }


def _instances(
    reader: duckdb.DuckDBPyConnection, resource_ids: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Return the attributes in which resources differ: one that tells all apart, or several."""
    if len(resource_ids) < 2:
        return {}
    resources = {
        id_: attributes_of(texts, types)
        for id_, texts, types in reader.execute(RESOURCES, {"ids": [*resource_ids]}).fetchall()
    }
    keys = sorted({key for attributes in resources.values() for key in attributes})
    values = {key: {repr(each.get(key)) for each in resources.values()} for key in keys}
    telling_apart = [key for key in keys if len(values[key]) == len(resources)]
    best = [key for key in INSTANCE_KEYS if key in telling_apart] or telling_apart
    shown = best[:1] or [key for key in keys if len(values[key]) > 1]
    return {
        id_: {key: attributes[key] for key in shown if key in attributes}
        for id_, attributes in resources.items()
    }


def _is_histogram(points: Sequence[Point]) -> bool:
    return any(point.bucket_counts for point in points[:1])


def _values(points: Sequence[Point], since_unix_nano: int) -> Iterator[tuple[float, float | None]]:
    """Yield the times (in ms) and values of a series; for a counter, its rate per second."""
    if not points[0].is_counted:
        for point in points:
            yield point.time_unix_nano / NANOS_PER_MS, point.value
        return
    if points[0].temporality == "delta":
        for point in points:
            start = point.start_unix_nano or point.time_unix_nano
            yield point.time_unix_nano / NANOS_PER_MS, _rate(point.total, point, start)
        return
    first = points[0]
    if first.begins_series(since_unix_nano):
        rate = _rate(first.total, first, first.start_unix_nano or 0)
        yield first.time_unix_nano / NANOS_PER_MS, rate
    for before, point in pairwise(points):
        increase = (point.total or 0.0) - (before.total or 0.0)
        # A counter that restarted counts from zero, so its whole value is the increase.
        if increase < 0 or point.restarts_after(before):
            increase = point.total or 0.0
        yield point.time_unix_nano / NANOS_PER_MS, _rate(increase, point, before.time_unix_nano)


def _rate(increase: float | None, point: Point, since_unix_nano: int) -> float | None:
    seconds = (point.time_unix_nano - since_unix_nano) / 1e9
    return increase / seconds if increase is not None and seconds > 0 else None
