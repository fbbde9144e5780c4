"""Convert stored data points to OTLP/JSON.

As they are stored that way, an exponential histogram is exported with explicit bounds, and an
integer as a double.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import DataPointFlags

from observatory.import_export.otlp_json import (
    Resources,
    Row,
    double_json,
    grouped,
    with_attributes,
)
from observatory.receive.metrics import TEMPORALITIES

NUMBERS = {temporality: number for number, temporality in TEMPORALITIES.items()}
NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
# Rows that agree in these columns are points of the same metric.
METRIC_COLUMNS = ("name", "description", "unit", "type", "is_monotonic", "temporality")
QUANTILE = "quantile"


def resource_metrics(rows: Sequence[Row], resources: Resources) -> list[dict[str, Any]]:
    """Convert rows of ``raw_metrics`` to the items of ``resourceMetrics``."""
    return grouped(rows, resources, ("scopeMetrics", "metrics"), _metrics)


def _metrics(rows: Sequence[Row]) -> list[dict[str, Any]]:
    metrics: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        metrics.setdefault(tuple(row[name] for name in METRIC_COLUMNS), []).append(row)
    return [_metric(points) for points in metrics.values()]


def _metric(rows: Sequence[Row]) -> dict[str, Any]:
    metric = rows[0]
    data: dict[str, Any] = {}
    match metric["type"]:
        case "gauge" | "sum" as type_:
            data["dataPoints"] = [_number(row) for row in rows]
        case "summary" as type_:
            data["dataPoints"] = _summaries(rows)
        case _:
            type_ = "histogram"
            data["dataPoints"] = [_histogram(row) for row in rows]
    if metric["temporality"]:
        data["aggregationTemporality"] = NUMBERS[metric["temporality"]]
    if metric["is_monotonic"]:
        data["isMonotonic"] = True
    texts = {name: metric[name] for name in ("name", "description", "unit") if metric[name]}
    return {**texts, type_: data}


def _number(row: Row) -> dict[str, Any]:
    if row["value"] is None:
        return _point(row) | {"flags": NO_VALUE}
    return _point(row) | {"asDouble": double_json(row["value"])}


def _histogram(row: Row) -> dict[str, Any]:
    point = _point(row) | {"count": str(row["count"])}
    if row["sum"] is not None:
        point["sum"] = double_json(row["sum"])
    if row["max_value"] is not None:
        point["max"] = double_json(row["max_value"])
    if row["bucket_counts"] is not None:
        point["bucketCounts"] = [str(count) for count in row["bucket_counts"]]
        point["explicitBounds"] = [double_json(bound) for bound in row["bounds"]]
    return point


def _summaries(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Combine the rows that are quantiles of the same summary into one point each."""
    points: dict[str | int, dict[str, Any]] = {}
    for row in rows:
        texts, types = dict(row["attributes"]), row["attribute_types"]
        quantile = None
        if row["value"] is not None:
            index = list(texts).index(QUANTILE)
            quantile, types = float(texts.pop(QUANTILE)), types[:index] + types[index + 1 :]
        summary = _point({**row, "attributes": texts, "attribute_types": types}) | {
            "count": str(row["count"]),
            "sum": double_json(row["sum"]),
        }
        # A summary without quantiles is one row, and never merged with another row.
        point = points.setdefault(len(points) if quantile is None else repr(summary), summary)
        if quantile is not None:
            point.setdefault("quantileValues", []).append(
                {"quantile": double_json(quantile), "value": double_json(row["value"])}
            )
    return list(points.values())


def _point(row: Mapping[str, Any]) -> dict[str, Any]:
    point = {
        "timeUnixNano": str(row["time_unix_nano"]),
        **with_attributes(row["attributes"], row["attribute_types"]),
    }
    if row["start_unix_nano"] is not None:
        point["startTimeUnixNano"] = str(row["start_unix_nano"])
    return point
