"""Convert the data points of a request's metrics to rows of the store.

Two of OTLP's five types are converted, so that charts need to handle only three: an exponential
histogram becomes one with explicit bounds, and each quantile of a summary becomes a series of its
own with the attribute ``quantile``.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, TypedDict

import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags

from observatory.receive.attributes import attributes_of_rows
from observatory.receive.batch import Batch, Origins, nanoseconds
from observatory.receive.opaque_fields import MetricsRequest
from observatory.store.rows import METRICS, Rows

TEMPORALITIES: dict[int, str] = {
    AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA: "delta",
    AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE: "cumulative",
}
NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


class Point(TypedDict):
    """One data point. ``bounds`` separate the buckets: one fewer than ``bucket_counts``."""

    value: float | None
    count: int | None
    sum: float | None
    bounds: Sequence[float] | None
    bucket_counts: Sequence[int] | None
    max_value: float | None
    attributes: Sequence[bytes]
    time: int
    start: int


class InvalidPoint(Exception):
    """A data point that contradicts itself, or whose metric has no name."""


def metrics_of(*bodies: bytes) -> Batch:
    """Return one row for each valid data point of some serialized ``ExportMetricsServiceRequest``.

    Each quantile of a summary is a row of its own.

    Raises:
        DecodeError: one of ``bodies`` is not such a request.
    """
    requests: list[Any] = [MetricsRequest.FromString(body) for body in bodies]
    points: list[Point] = []
    metric_columns: list[dict[str, Any]] = []
    resources: list[bytes] = []
    scopes: list[str] = []
    scope_of_point: list[int] = []
    rejected = 0
    for group in chain.from_iterable(request.resource_metrics for request in requests):
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                metric_points: list[Point] = []
                for point in _points(metric):
                    try:
                        metric_points += _rows(metric, point)
                    except InvalidPoint:
                        rejected += 1
                scope_of_point += [len(scopes)] * len(metric_points)
                points += metric_points
                metric_columns += [_metric_columns(metric)] * len(metric_points)
            resources.append(group.resource)
            scopes.append(scope.scope.name)
    origins = Origins(pa.array(resources, pa.binary()), pa.array(scopes, pa.string()))
    origin_columns = origins.columns(pa.array(scope_of_point, pa.int64()))
    table = _table(points, metric_columns, origin_columns) if points else METRICS.empty_table()
    return Batch(Rows("metrics", table, origins.resources), rejected, _reason(rejected))


def _points(metric: Any) -> Iterator[Any]:
    type_ = metric.WhichOneof("data")
    yield from getattr(metric, type_).data_points if type_ else ()


def _rows(metric: Any, point: Any) -> list[Point]:
    """Return the rows of one data point: one per quantile for a summary, else one.

    Raises:
        InvalidPoint: the metric has no name, or a histogram's counts and bounds do not match.
    """
    if not metric.name:
        raise InvalidPoint
    row = Point(
        value=None,
        count=None,
        sum=None,
        bounds=None,
        bucket_counts=None,
        max_value=None,
        attributes=point.attributes,
        time=point.time_unix_nano,
        start=point.start_time_unix_nano,
    )
    type_ = metric.WhichOneof("data")
    if type_ in ("gauge", "sum"):
        value_field = point.WhichOneof("value")
        if value_field is not None and not point.flags & NO_VALUE:
            row["value"] = float(getattr(point, value_field))
        return [row]
    row["count"] = point.count
    if type_ == "summary":
        row["sum"] = point.sum
        return [_quantile(row, each) for each in point.quantile_values] or [row]
    if point.HasField("sum"):
        row["sum"] = point.sum
    if point.HasField("max"):
        row["max_value"] = point.max
    if type_ == "histogram":
        bounds, counts = list(point.explicit_bounds), list(point.bucket_counts)
    else:
        bounds, counts = _explicit(point)
    if counts or bounds:
        if len(counts) != len(bounds) + 1 or bounds != sorted(bounds):
            raise InvalidPoint
        row["bounds"], row["bucket_counts"] = bounds, counts
    return [row]


def _quantile(row: Point, quantile: Any) -> Point:
    named = KeyValue(key="quantile", value=AnyValue(double_value=quantile.quantile))
    attributes = [*row["attributes"], named.SerializeToString()]
    return {**row, "value": quantile.value, "attributes": attributes}


def _explicit(point: Any) -> tuple[list[float], list[int]]:
    """Return the bounds and counts of an exponential histogram, in ascending order.

    Bucket ``i`` reaches from ``base ** i`` to ``base ** (i + 1)``, where ``base`` is
    ``2 ** (2 ** -scale)``:
    https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
    """

    def bound(index: int) -> float:
        try:
            return float(2.0 ** (index * 2.0**-point.scale))
        except OverflowError:
            return sys.float_info.max

    negative, positive = point.negative, point.positive
    negative_counts, positive_counts = list(negative.bucket_counts), list(positive.bucket_counts)
    if not negative_counts and not positive_counts:
        return [], [point.zero_count]
    bounds = [-bound(negative.offset + i) for i in reversed(range(len(negative_counts) + 1))]
    counts = list(reversed(negative_counts))
    if positive_counts:
        zero_from = bounds if negative_counts else []
        bounds = [
            *zero_from,
            *(bound(positive.offset + i) for i in range(len(positive_counts) + 1)),
        ]
        counts = [*([0, *counts] if negative_counts else []), point.zero_count, *positive_counts, 0]
    else:
        counts = [0, *counts, point.zero_count]
    return bounds, counts


def _metric_columns(metric: Any) -> dict[str, Any]:
    type_ = metric.WhichOneof("data")
    data = getattr(metric, type_)
    return {
        "name": metric.name,
        "description": metric.description,
        "unit": metric.unit,
        "type": type_,
        "is_monotonic": data.is_monotonic if type_ == "sum" else None,
        "temporality": TEMPORALITIES.get(int(getattr(data, "aggregation_temporality", 0))),
    }


def _table(
    points: list[Point], metric_columns: list[dict[str, Any]], origins: dict[str, pa.Array]
) -> pa.Table:
    attributes = attributes_of_rows([point["attributes"] for point in points])
    now = time.time_ns()
    columns = {
        **{
            name: pa.array([each[name] for each in metric_columns], METRICS.field(name).type)
            for name in ("name", "description", "unit", "type", "is_monotonic", "temporality")
        },
        "time_unix_nano": _times([point["time"] or now for point in points]),
        "start_unix_nano": _times([point["start"] or None for point in points]),
        "value": pa.array([point["value"] for point in points], pa.float64()),
        "count": pa.array([point["count"] for point in points], pa.uint64()),
        "sum": pa.array([point["sum"] for point in points], pa.float64()),
        "bounds": pa.array([point["bounds"] for point in points], METRICS.field("bounds").type),
        "bucket_counts": pa.array(
            [point["bucket_counts"] for point in points], METRICS.field("bucket_counts").type
        ),
        "max_value": pa.array([point["max_value"] for point in points], pa.float64()),
        "attributes": attributes.maps,
        "attribute_types": attributes.types,
        **origins,
    }
    return pa.table(columns, schema=METRICS)


def _times(times: Sequence[int | None]) -> pa.Int64Array:
    return nanoseconds(pa.array(times, pa.uint64()))


def _reason(rejected: int) -> str:
    if not rejected:
        return ""
    return (
        f"{rejected} data point{'' if rejected == 1 else 's'} rejected: a metric needs a name, and "
        "a histogram one more count than bounds, in ascending order."
    )
