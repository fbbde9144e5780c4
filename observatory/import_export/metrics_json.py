"""Stored data points as OTLP/JSON.

An exponential histogram leaves as a histogram with its bounds written out, and a whole number as a
double: that is how they are stored.
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
# What makes rows points of the same metric.
SAID = ("name", "description", "unit", "type", "is_monotonic", "temporality")
QUANTILE = "quantile"


def resource_metrics(rows: Sequence[Row], resources: Resources) -> list[dict[str, Any]]:
    """Rows of ``raw_metrics`` as the items of ``resourceMetrics``."""
    return grouped(rows, resources, ("scopeMetrics", "metrics"), _metrics)


def _metrics(rows: Sequence[Row]) -> list[dict[str, Any]]:
    metrics: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        metrics.setdefault(tuple(row[name] for name in SAID), []).append(row)
    return [_metric(points) for points in metrics.values()]


def _metric(rows: Sequence[Row]) -> dict[str, Any]:
    said = rows[0]
    data: dict[str, Any] = {}
    match said["type"]:
        case "gauge" | "sum" as type_:
            data["dataPoints"] = [_number(row) for row in rows]
        case "summary" as type_:
            data["dataPoints"] = _summaries(rows)
        case _:
            type_ = "histogram"
            data["dataPoints"] = [_histogram(row) for row in rows]
    if said["temporality"]:
        data["aggregationTemporality"] = NUMBERS[said["temporality"]]
    if said["is_monotonic"]:
        data["isMonotonic"] = True
    texts = {name: said[name] for name in ("name", "description", "unit") if said[name]}
    return {**texts, type_: data}


def _number(row: Row) -> dict[str, Any]:
    if row["value"] is None:
        return _point(row) | {"flags": NO_VALUE}
    return _point(row) | {"asDouble": double_json(row["value"])}


def _histogram(row: Row) -> dict[str, Any]:
    point = _point(row) | {"count": str(row["count"])}
    if row["sum"] is not None:
        point["sum"] = double_json(row["sum"])
    if row["bucket_counts"] is not None:
        point["bucketCounts"] = [str(count) for count in row["bucket_counts"]]
        point["explicitBounds"] = [double_json(bound) for bound in row["bounds"]]
    return point


def _summaries(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One point for all rows that are quantiles of the same one: an attribute tells which."""
    points: dict[str | int, dict[str, Any]] = {}
    for row in rows:
        texts, types = dict(row["attributes"]), row["attribute_types"]
        quantile = None
        if row["value"] is not None:
            at = list(texts).index(QUANTILE)
            quantile, types = float(texts.pop(QUANTILE)), types[:at] + types[at + 1 :]
        whole = _point({**row, "attributes": texts, "attribute_types": types}) | {
            "count": str(row["count"]),
            "sum": double_json(row["sum"]),
        }
        # One without quantiles is a row, and so a point, of its own, also beside another like it.
        point = points.setdefault(len(points) if quantile is None else repr(whole), whole)
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
