"""The data points of a request's metrics as rows of the store.

Two of OTLP's types come as others, so that whoever draws them needs to know three: the buckets of
an exponential histogram get their bounds written out, and each quantile of a summary is a series of
its own, told apart by the attribute ``quantile``.
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
    """One data point. ``bounds`` are between the buckets: one fewer than ``bucket_counts``."""

    value: float | None
    count: int | None
    sum: float | None
    bounds: Sequence[float] | None
    bucket_counts: Sequence[int] | None
    attributes: Sequence[bytes]
    time: int
    start: int


class Unfit(Exception):
    """A data point that doesn't add up."""


def metrics_of(*bodies: bytes) -> Batch:
    """One row for each data point of some ``ExportMetricsServiceRequest`` that adds up.

    Raises:
        DecodeError: one of ``bodies`` is none.
    """
    requests: list[Any] = [MetricsRequest.FromString(body) for body in bodies]
    points: list[Point] = []
    said: list[dict[str, Any]] = []
    resources: list[bytes] = []
    scopes: list[str] = []
    scope_of_point: list[int] = []
    rejected = 0
    for group in chain.from_iterable(request.resource_metrics for request in requests):
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                found: list[Point] = []
                for point in _points(metric):
                    try:
                        found += _rows(metric, point)
                    except Unfit:
                        rejected += 1
                scope_of_point += [len(scopes)] * len(found)
                points += found
                said += [_said(metric)] * len(found)
            resources.append(group.resource)
            scopes.append(scope.scope.name)
    origins = Origins(pa.array(resources, pa.binary()), pa.array(scopes, pa.string()))
    of_origins = origins.columns(pa.array(scope_of_point, pa.int64()))
    table = _table(points, said, of_origins) if points else METRICS.empty_table()
    return Batch(Rows("metrics", table, origins.resources), rejected, _reason(rejected))


def _points(metric: Any) -> Iterator[Any]:
    type_ = metric.WhichOneof("data")
    yield from getattr(metric, type_).data_points if type_ else ()


def _rows(metric: Any, point: Any) -> list[Point]:
    """The rows of one data point: one, or as many as a summary has quantiles.

    Raises:
        Unfit: it doesn't add up.
    """
    if not metric.name:
        raise Unfit
    row = Point(
        value=None,
        count=None,
        sum=None,
        bounds=None,
        bucket_counts=None,
        attributes=point.attributes,
        time=point.time_unix_nano,
        start=point.start_time_unix_nano,
    )
    type_ = metric.WhichOneof("data")
    if type_ in ("gauge", "sum"):
        which = point.WhichOneof("value")
        if which is not None and not point.flags & NO_VALUE:
            row["value"] = float(getattr(point, which))
        return [row]
    row["count"] = point.count
    if type_ == "summary":
        row["sum"] = point.sum
        return [_quantile(row, each) for each in point.quantile_values] or [row]
    if point.HasField("sum"):
        row["sum"] = point.sum
    if type_ == "histogram":
        bounds, counts = list(point.explicit_bounds), list(point.bucket_counts)
    else:
        bounds, counts = _explicit(point)
    if counts or bounds:
        if len(counts) != len(bounds) + 1 or bounds != sorted(bounds):
            raise Unfit
        row["bounds"], row["bucket_counts"] = bounds, counts
    return [row]


def _quantile(row: Point, quantile: Any) -> Point:
    named = KeyValue(key="quantile", value=AnyValue(double_value=quantile.quantile))
    attributes = [*row["attributes"], named.SerializeToString()]
    return {**row, "value": quantile.value, "attributes": attributes}


def _explicit(point: Any) -> tuple[list[float], list[int]]:
    """The buckets of an exponential histogram, from the lowest: negative, zero, positive.

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
    downwards, upwards = list(negative.bucket_counts), list(positive.bucket_counts)
    if not downwards and not upwards:
        return [], [point.zero_count]
    bounds = [-bound(negative.offset + i) for i in reversed(range(len(downwards) + 1))]
    counts = list(reversed(downwards))
    if upwards:
        zero_from = bounds if downwards else []
        bounds = [*zero_from, *(bound(positive.offset + i) for i in range(len(upwards) + 1))]
        counts = [*([0, *counts] if downwards else []), point.zero_count, *upwards, 0]
    else:
        counts = [0, *counts, point.zero_count]
    return bounds, counts


def _said(metric: Any) -> dict[str, Any]:
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
    points: list[Point], said: list[dict[str, Any]], origins: dict[str, pa.Array]
) -> pa.Table:
    attributes = attributes_of_rows([point["attributes"] for point in points])
    now = time.time_ns()
    columns = {
        **{
            name: pa.array([each[name] for each in said], METRICS.field(name).type)
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
        f"{rejected} data point{'' if rejected == 1 else 's'} rejected: a metric has a name, and a "
        "histogram one more count than it has bounds, which ascend."
    )
