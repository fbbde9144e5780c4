"""Metrics come in: every type that OTLP has, as rows that can be drawn."""

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
    """An export of these metrics; names are written with ``_`` for a dot."""
    asked = ExportMetricsServiceRequest()
    group = asked.resource_metrics.add()
    group.resource.attributes.extend(key_values({"service.name": "reserve"}))
    scope = group.scope_metrics.add()
    scope.scope.name = "meter"
    for name, fields in metrics.items():
        scope.metrics.append(Metric(name=name.replace("_", "."), **fields))
    return asked


def rows(running: Running) -> list[dict[str, Any]]:
    """What is stored, as dictionaries, in the order in which it was sent."""
    with running.store.reader() as reader:
        found = reader.execute("select * from raw_metrics order by rowid")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def send(running: Running, asked: ExportMetricsServiceRequest) -> list[dict[str, Any]]:
    answer = running.post("/v1/metrics", asked.SerializeToString())
    assert answer.status_code == 200, answer.text
    assert not ExportMetricsServiceResponse.FromString(answer.content).HasField("partial_success")
    return rows(running)


def point(**fields: Any) -> dict[str, Any]:
    attributes = key_values(fields.pop("attributes", {}))
    return {"time_unix_nano": NOW, "attributes": attributes, **fields}


def test_a_gauge_is_a_value_at_a_time(running: Running) -> None:
    """Whole numbers and others alike, with their attributes, and where they come from."""
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


def test_a_sum_says_how_it_adds_up(running: Running) -> None:
    """Whether it only grows, and since when it counts; a point without a value has none."""
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


def test_a_histogram_keeps_its_buckets(running: Running) -> None:
    """Counts lie between the bounds; one without buckets still has its count and its sum."""
    histogram = {
        "aggregation_temporality": 1,
        "data_points": [
            point(count=6, sum=9.5, explicit_bounds=[1, 2], bucket_counts=[1, 2, 3]),
            point(count=2),
        ],
    }
    whole, bare = send(running, request(took={"histogram": histogram}))
    assert (whole["type"], whole["temporality"]) == ("histogram", "delta")
    assert (whole["count"], whole["sum"]) == (6, 9.5)
    assert (whole["bounds"], whole["bucket_counts"]) == ([1, 2], [1, 2, 3])
    assert (bare["count"], bare["sum"], bare["bounds"]) == (2, None, None)


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
def test_an_exponential_histogram_gets_its_bounds_written_out(
    running: Running, fields: dict[str, Any], bounds: list[float], counts: list[int]
) -> None:
    """From the lowest bucket to the highest, zero between them."""
    histogram = {"data_points": [point(count=9, sum=1, scale=0, zero_count=1, **fields)]}
    (row,) = send(running, request(took={"exponential_histogram": histogram}))
    assert row["type"] == "exponential_histogram"
    assert (row["bounds"], row["bucket_counts"]) == (bounds, counts)


def test_a_summary_is_a_series_for_each_quantile(running: Running) -> None:
    """Told apart by the attribute ``quantile``."""
    quantiles = [{"quantile": 0.5, "value": 3.0}, {"quantile": 0.95, "value": 8.0}]
    summary = {
        "data_points": [point(count=4, sum=16, quantile_values=quantiles, attributes={"a": "b"})]
    }
    found = send(running, request(took={"summary": summary}))
    assert [(row["value"], row["count"], row["sum"]) for row in found] == [(3, 4, 16), (8, 4, 16)]
    said = [attributes_of(row["attributes"], row["attribute_types"]) for row in found]
    assert said == [{"a": "b", "quantile": 0.5}, {"a": "b", "quantile": 0.95}]


def test_json_means_what_protobuf_means(running: Running) -> None:
    """Metrics may be JSON too, and are answered in it."""
    asked = request(depth={"gauge": {"data_points": [point(as_int=7)]}})
    answer = running.http.post("/v1/metrics", content=json.dumps(otlp_json(asked)), headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert [row["value"] for row in rows(running)] == [7.0]


def test_what_does_not_add_up_is_counted_and_the_rest_is_stored(running: Running) -> None:
    """A histogram with too many counts, bounds that don't ascend, a metric without a name."""
    histogram = {
        "data_points": [
            point(count=1, explicit_bounds=[1], bucket_counts=[1, 2, 3]),
            point(count=1, explicit_bounds=[2, 1], bucket_counts=[1, 0, 0]),
            point(count=1, explicit_bounds=[1], bucket_counts=[1, 0]),
        ]
    }
    nameless = {"gauge": {"data_points": [point(as_int=1)]}}
    asked = request(took={"histogram": histogram}, _=nameless)
    asked.resource_metrics[0].scope_metrics[0].metrics[1].name = ""
    answer = running.post("/v1/metrics", asked.SerializeToString())
    said = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert said.rejected_data_points == 3
    assert "3 data points rejected" in said.error_message
    assert len(rows(running)) == 1


def test_bad_metrics_are_refused_with_a_status(running: Running) -> None:
    """As bad traces are."""
    assert running.post("/v1/metrics", b"hello, this is not OTLP").status_code == 400
    assert running.post("/v1/metrics", b"x", content_type="text/plain").status_code == 415
    assert running.http.get("/v1/metrics").status_code == 405


def test_a_value_that_is_no_number_is_a_gap(running: Running) -> None:
    """NaN and infinities are kept, and their metric can still be drawn."""
    odd = [point(as_double=value) for value in (float("nan"), float("inf"), 3.0)]
    bounds = [float("-inf"), float("inf")]
    took = [point(count=4, explicit_bounds=bounds, bucket_counts=[1, 2, 1])] * 2
    histogram = {"data_points": took, "aggregation_temporality": 1}
    send(running, request(odd={"gauge": {"data_points": odd}}, took={"histogram": histogram}))

    def series(name: str) -> dict[str, Any]:
        asked = {"name": name, "service": "reserve"}
        answer = running.http.get("/api/metrics/series", params=asked)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    values = [value for _, value in series("odd")["series"][0]["points"]]
    assert sorted(values, key=str) == [3.0, None, None]
    assert {value for _, value in series("took")["quantiles"]["p50"]} == {None}
