"""The metrics endpoint: every OTLP metric type, converted to rows that can be charted."""

import json
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from observatory.receive.wire import ExportMetricsServiceRequest, ExportMetricsServiceResponse
from observatory.store.values import attributes_of
from tests.unit.observatory.conftest import JSON, Running, otlp_json
from tests.unit.observatory.telemetry import key_values

NOW = 1_700_000_000_000_000_000


def request(**metrics: dict[str, Any]) -> ExportMetricsServiceRequest:
    """Return a request with these metrics; ``_`` in a name becomes a dot."""
    metrics_request = ExportMetricsServiceRequest()
    group = metrics_request.resource_metrics.add()
    group.resource.attributes.extend(key_values({"service.name": "reserve"}))
    scope = group.scope_metrics.add()
    scope.scope.name = "meter"
    for name, fields in metrics.items():
        scope.metrics.append(Metric(name=name.replace("_", "."), **fields))
    return metrics_request


def rows(running: Running) -> list[dict[str, Any]]:
    """Return the stored rows as dictionaries, in the order in which they were sent."""
    with running.store.reader() as reader:
        result = reader.execute("select * from raw_metrics order by rowid")
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def send(running: Running, metrics_request: ExportMetricsServiceRequest) -> list[dict[str, Any]]:
    response = running.post("/v1/metrics", metrics_request.SerializeToString())
    assert response.status_code == 200, response.text
    assert not ExportMetricsServiceResponse.FromString(response.content).HasField("partial_success")
    return rows(running)


def point(**fields: Any) -> dict[str, Any]:
    attributes = key_values(fields.pop("attributes", {}))
    return {"time_unix_nano": NOW, "attributes": attributes, **fields}


def test_a_gauge_is_stored_with_its_values_and_attributes(running: Running) -> None:
    """Integers and doubles are stored as doubles, with attributes, service and scope."""
    gauge = {
        "data_points": [
            point(as_int=7, attributes={"queue": "a", "n": 1}),
            point(as_double=0.5, attributes={"queue": "b"}),
        ]
    }
    first, second = send(running, request(queue_depth={"gauge": gauge, "unit": "{message}"}))
    assert (first["name"], first["type"], first["unit"]) == ("queue.depth", "gauge", "{message}")
    assert (first["service_name"], first["scope_name"]) == ("reserve", "meter")
    assert (first["value"], second["value"]) == (7.0, 0.5)
    assert first["time_unix_nano"] == NOW
    assert attributes_of(first["attributes"], first["attribute_types"]) == {"queue": "a", "n": 1}
    assert first["temporality"] is first["is_monotonic"] is first["start_unix_nano"] is None


def test_a_sum_is_stored_with_its_monotonicity_and_start_time(running: Running) -> None:
    """A point without a recorded value has a null value."""
    total = {
        "is_monotonic": True,
        "aggregation_temporality": 2,
        "data_points": [
            point(as_int=3, start_time_unix_nano=NOW - 10),
            point(flags=1),
        ],
    }
    counted, stale = send(running, request(orders={"sum": total}))
    assert (counted["is_monotonic"], counted["temporality"]) == (True, "cumulative")
    assert (counted["value"], counted["start_unix_nano"]) == (3.0, NOW - 10)
    assert stale["value"] is None


def test_a_histogram_is_stored_with_its_buckets(running: Running) -> None:
    """A histogram without buckets still has its count."""
    histogram = {
        "aggregation_temporality": 1,
        "data_points": [
            point(count=6, sum=9.5, explicit_bounds=[1, 2], bucket_counts=[1, 2, 3]),
            point(count=2),
        ],
    }
    with_buckets, without_buckets = send(running, request(took={"histogram": histogram}))
    assert (with_buckets["type"], with_buckets["temporality"]) == ("histogram", "delta")
    assert (with_buckets["count"], with_buckets["sum"]) == (6, 9.5)
    assert (with_buckets["bounds"], with_buckets["bucket_counts"]) == ([1, 2], [1, 2, 3])
    assert (without_buckets["count"], without_buckets["sum"], without_buckets["bounds"]) == (
        2,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("fields", "bounds", "counts"),
    [
        ({"positive": {"offset": 0, "bucket_counts": [3, 4]}}, [1, 2, 4], [1, 3, 4, 0]),
        ({"negative": {"offset": 1, "bucket_counts": [3, 4]}}, [-8, -4, -2], [0, 4, 3, 1]),
        (
            {
                "positive": {"offset": -1, "bucket_counts": [5]},
                "negative": {"offset": 0, "bucket_counts": [6]},
            },
            [-2, -1, 0.5, 1],
            [0, 6, 1, 5, 0],
        ),
        ({}, [], [1]),
    ],
)
def test_an_exponential_histogram_is_stored_with_explicit_bounds(
    running: Running, fields: dict[str, Any], bounds: list[float], counts: list[int]
) -> None:
    """Buckets are in ascending order: negative, zero, positive."""
    histogram = {"data_points": [point(count=9, sum=1, scale=0, zero_count=1, **fields)]}
    (row,) = send(running, request(took={"exponential_histogram": histogram}))
    assert row["type"] == "exponential_histogram"
    assert (row["bounds"], row["bucket_counts"]) == (bounds, counts)


def test_each_quantile_of_a_summary_is_a_series(running: Running) -> None:
    """The attribute ``quantile`` distinguishes them."""
    quantiles = [{"quantile": 0.5, "value": 3.0}, {"quantile": 0.95, "value": 8.0}]
    summary = {
        "data_points": [point(count=4, sum=16, quantile_values=quantiles, attributes={"a": "b"})]
    }
    quantile_rows = send(running, request(took={"summary": summary}))
    assert [(row["value"], row["count"], row["sum"]) for row in quantile_rows] == [
        (3, 4, 16),
        (8, 4, 16),
    ]
    attributes = [attributes_of(row["attributes"], row["attribute_types"]) for row in quantile_rows]
    assert attributes == [{"a": "b", "quantile": 0.5}, {"a": "b", "quantile": 0.95}]


def test_json_metrics_are_stored_like_protobuf_metrics(running: Running) -> None:
    """The response is JSON, too."""
    metrics_request = request(depth={"gauge": {"data_points": [point(as_int=7)]}})
    response = running.http.post(
        "/v1/metrics", content=json.dumps(otlp_json(metrics_request)), headers=JSON
    )
    assert (response.status_code, response.json()) == (200, {})
    assert [row["value"] for row in rows(running)] == [7.0]


def test_invalid_data_points_are_rejected_and_the_others_stored(running: Running) -> None:
    """Invalid are too many bucket counts, descending bounds and a metric without a name."""
    histogram = {
        "data_points": [
            point(count=1, explicit_bounds=[1], bucket_counts=[1, 2, 3]),
            point(count=1, explicit_bounds=[2, 1], bucket_counts=[1, 0, 0]),
            point(count=1, explicit_bounds=[1], bucket_counts=[1, 0]),
        ]
    }
    nameless = {"gauge": {"data_points": [point(as_int=1)]}}
    metrics_request = request(took={"histogram": histogram}, _=nameless)
    metrics_request.resource_metrics[0].scope_metrics[0].metrics[1].name = ""
    response = running.post("/v1/metrics", metrics_request.SerializeToString())
    partial = ExportMetricsServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_data_points == 3
    assert "3 data points rejected" in partial.error_message
    assert len(rows(running)) == 1


def test_unreadable_metrics_are_refused(running: Running) -> None:
    assert running.post("/v1/metrics", b"hello, this is not OTLP").status_code == 400
    assert running.post("/v1/metrics", b"x", content_type="text/plain").status_code == 415
    assert running.http.get("/v1/metrics").status_code == 405


def test_non_finite_values_are_returned_as_null(running: Running) -> None:
    """NaN and infinities are stored, and the rest of the series can be charted."""
    odd = [point(as_double=value) for value in (float("nan"), float("inf"), 3.0)]
    bounds = [float("-inf"), float("inf")]
    took = [point(count=4, explicit_bounds=bounds, bucket_counts=[1, 2, 1])] * 2
    histogram = {"data_points": took, "aggregation_temporality": 1}
    send(running, request(odd={"gauge": {"data_points": odd}}, took={"histogram": histogram}))

    def series(name: str) -> dict[str, Any]:
        metrics_request = {"name": name, "service": "reserve"}
        response = running.http.get("/api/metrics/series", params=metrics_request)
        assert response.status_code == 200, response.text
        result: dict[str, Any] = response.json()
        return result

    values = [value for _, value in series("odd")["series"][0]["points"]]
    assert sorted(values, key=str) == [3.0, None, None]
    assert {value for _, value in series("took")["quantiles"]["p50"]} == {None}
