"""The API of log records and of metrics over time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from observatory.receive.attributes import Attributes, attributes_of_rows
from observatory.receive.wire import ExportMetricsServiceRequest
from observatory.signals.logs import Position
from observatory.signals.points import Point
from observatory.signals.quantiles import quantiles_of
from observatory.store import Store
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import INTERNAL, Trace, key_values, purchase

NOW = 1_700_000_000_000_000_000


def log_page(running: Running, **parameters: Any) -> dict[str, Any]:
    response = running.http.get("/api/logs", params=parameters)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def bodies(page: dict[str, Any]) -> list[str]:
    return [line["body"] for line in page["logs"]]


def send_numbered_lines(running: Running, count: int, interval_ms: float = 1.0) -> Trace:
    """Send a trace with ``count`` log records, "line 0", "line 1" and so on."""
    trace = Trace(began_unix_nano=NOW)
    span = trace.span("page", "buy", INTERNAL, 0, 1)
    for number in range(count):
        trace.log("page", span, number * interval_ms, "INFO", f"line {number}")
    running.send(trace)
    return trace


def test_log_pages_cover_all_records_newest_first(running: Running) -> None:
    """This holds even for records with the same time."""
    trace = send_numbered_lines(running, 7, interval_ms=0)
    all_bodies: list[str] = []
    page = log_page(running, limit=3)
    while page["next"]:
        all_bodies += bodies(page)
        page = log_page(running, limit=3, before=page["next"])
    all_bodies += bodies(page)
    assert all_bodies == [f"line {number}" for number in range(6, -1, -1)]
    (line,) = log_page(running, limit=1)["logs"]
    assert line["time"] == "2023-11-14T22:13:20.000Z"
    assert line["trace_id"] == trace.trace_id.hex()
    assert (line["severity_number"], line["severity_text"], line["service"]) == (9, "INFO", "page")


def test_polling_for_newer_records_misses_none(running: Running) -> None:
    """A poll returns the records at the given time and the first ones after it."""
    send_numbered_lines(running, 9)
    after = str(NOW + 2_000_000)
    assert bodies(log_page(running, after=after, limit=3)) == [
        "line 5",
        "line 4",
        "line 3",
        "line 2",
    ]
    assert bodies(log_page(running, after=str(NOW + 8_000_000))) == ["line 8"]
    assert bodies(log_page(running, before=str(NOW + 2_000_000))) == ["line 1", "line 0"]


def test_log_records_are_filtered_by_severity_words_trace_and_filter(running: Running) -> None:
    """A filter applies to the records' traces, a time range to the records themselves."""
    paid, declined = purchase("order-1", began_unix_nano=NOW), purchase("order-2", decline=True)
    running.send(paid)
    running.send(declined)
    assert bodies(log_page(running, severity_at_least=13)) == [
        "order order-2 is declined: the signature fits"
    ]
    assert len(bodies(log_page(running, text="HELD night-ferry"))) == 2
    assert bodies(log_page(running, text="held nothing")) == []
    assert len(bodies(log_page(running, text="issue"))) == 1  # by its service
    assert len(bodies(log_page(running, trace=paid.trace_id.hex()))) == 3
    assert len(bodies(log_page(running, q="state = declined"))) == 2
    until = NOW // 1_000_000 + 1_000
    assert bodies(log_page(running, to=until)) == ["held 2 seats of night-ferry for order order-1"]
    assert len(bodies(log_page(running, last=60))) == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"before": "x"}, "before is 'x'"),
        ({"after": "1", "before": "2"}, "exclude each other"),
        ({"trace": "12"}, "is not a trace id"),
        ({"severity_at_least": "warn"}, "severity_at_least is 'warn'"),
        ({"limit": "1001"}, "1 to 1000"),
        ({"colour": "red"}, "no parameter 'colour'"),
        ({"q": "state ="}, ""),
    ],
)
def test_an_invalid_logs_request_gets_a_400(
    running: Running, parameters: dict[str, str], message: str
) -> None:
    """The message names the parameter and its value."""
    response = running.http.get("/api/logs", params=parameters)
    assert response.status_code == 400
    assert message in response.json()["error"]["message"]


def test_a_position_is_formatted_as_it_is_parsed() -> None:
    """A position is a time, and a row id where several records have that time."""
    assert (str(Position(5)), str(Position(5, 0))) == ("5", "5.0")


def attributes(value: dict[str, Any]) -> Attributes:
    return attributes_of_rows([[each.SerializeToString() for each in key_values(value)]])


@pytest.fixture
def metrics_server(start: Callable[..., Running], tmp_path: Path) -> Running:
    """An Observatory that stores a gauge, a counter with two series, and a histogram."""
    path = tmp_path / "metrics.duckdb"
    store = Store(path)

    def add(cursor: Any) -> None:
        def point(name: str, type_: str, seconds: float, show: str, **values: Any) -> None:
            point_attributes = attributes({"show": show, "seats": 2})
            row: dict[str, Any] = {
                "name": name,
                "description": "what it is",
                "unit": "1",
                "type": type_,
                "time_unix_nano": NOW + round(seconds * 1e9),
                "attributes": dict(point_attributes.maps[0].as_py()),
                "attribute_types": point_attributes.types[0].as_py(),
                "service_name": "page",
                "scope_name": "",
                "resource_id": 1,
                "received_unix_nano": NOW,
                **values,
            }
            columns, placeholders = ", ".join(row), ", ".join(f"${name}" for name in row)
            cursor.execute(f"insert into raw_metrics ({columns}) values ({placeholders})", row)  # noqa: S608

        for second, value in ((0, 1.5), (10, 2.5)):
            point("free", "gauge", second, "ferry", value=value)
        for second, value in ((0, 5.0), (10, 25.0), (20, 10.0)):
            sums = {"is_monotonic": True, "temporality": "cumulative"}
            point("sold", "sum", second, "ferry", value=value, **sums)
            point("sold", "sum", second, "tram", value=value * 2, **sums)
        for second, counts in ((0, [1, 0, 0]), (10, [1, 10, 0]), (20, [1, 10, 10])):
            point(
                "took", "histogram", second, "ferry", temporality="cumulative",
                count=sum(counts), sum=1.0, bounds=[10.0, 20.0], bucket_counts=counts,
            )  # fmt: skip

    store.run(add).result(10)
    store.close()
    return start(path)


def test_metrics_are_listed_with_their_counts(metrics_server: Running) -> None:
    """Each metric of a service is listed with the number of its points and series."""
    metrics = metrics_server.http.get("/api/metrics").json()["metrics"]
    assert [(one["name"], one["type"], one["points"], one["series"]) for one in metrics] == [
        ("free", "gauge", 2, 1),
        ("sold", "sum", 6, 2),
        ("took", "histogram", 3, 1),
    ]
    assert metrics[0]["description"] == "what it is"


def series(running: Running, name: str, **time: float) -> dict[str, Any]:
    parameters: dict[str, str | float] = {"name": name, "service": "page", **time}
    response = running.http.get("/api/metrics/series", params=parameters)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()
    return result


def test_a_gauge_is_returned_as_values_and_a_counter_as_a_rate(metrics_server: Running) -> None:
    """A counter that restarts does not give a negative rate."""
    times_ms = [NOW / 1e6 + ms for ms in (0, 10_000, 20_000)]
    free = series(metrics_server, "free")
    assert (free["rate"], free["quantiles"]) == (False, None)
    assert free["series"] == [
        {
            "attributes": {"show": "ferry", "seats": 2},
            "instance": {},
            "points": [[times_ms[0], 1.5], [times_ms[1], 2.5]],
        }
    ]
    sold = series(metrics_server, "sold")
    assert sold["rate"]
    points = {one["attributes"]["show"]: one["points"] for one in sold["series"]}
    assert points["ferry"] == [[times_ms[1], 2.0], [times_ms[2], 1.0]]
    assert points["tram"] == [[times_ms[1], 4.0], [times_ms[2], 2.0]]
    assert len(series(metrics_server, "free", to=times_ms[1])["series"][0]["points"]) == 1
    assert series(metrics_server, "unknown")["series"] == []


def test_a_histogram_is_returned_with_its_quantiles(metrics_server: Running) -> None:
    """Cumulative counts are converted to the increase since the previous point."""
    took = series(metrics_server, "took")
    times_ms = [NOW / 1e6 + ms for ms in (10_000, 20_000)]
    assert took["quantiles"]["p50"] == [[times_ms[0], 15.0], [times_ms[1], 20.0]]
    assert took["quantiles"]["p95"][0] == [times_ms[0], 19.5]
    assert took["series"][0]["points"] == [[times_ms[0], 1.0], [times_ms[1], 1.0]]


def test_quantiles_are_computed_for_delta_and_empty_histograms() -> None:
    """Delta counts are used as they are; without values there is no quantile."""

    def point(seconds: int, counts: list[int], largest: float | None = None) -> Point:
        return Point(
            seconds * 10**9, None, None, sum(counts), None, [10.0], counts, largest,
            {}, "", 1, "histogram", False, "delta",
        )  # fmt: skip

    quantiles = quantiles_of([[point(1, [4, 0]), point(2, [0, 0])], [point(1, [0, 4])]])
    assert quantiles["p50"] == [(1000.0, 10.0), (2000.0, None)]
    assert quantiles_of([]) == {"p50": [], "p95": []}

    # No quantile exceeds the largest value that was measured, in a bucket or beyond the last bound.
    within = quantiles_of([[point(1, [4, 0], 3.0)]])
    assert within["p50"] == [(1000.0, 1.5)]
    assert [value for _, value in within["p95"]] == pytest.approx([2.85])
    assert quantiles_of([[point(1, [0, 4], 12.0)]])["p95"] == [(1000.0, 10.0)]
    unknown = quantiles_of([[point(1, [4, 0], 3.0)], [point(1, [4, 0])]])
    assert unknown["p95"] == [(1000.0, 9.5)]


def test_series_of_two_instances_are_told_apart_by_their_resource(running: Running) -> None:
    """By the attribute that names an instance, also if their resources differ in more."""
    for instance, pid in (("a-1", 7), ("b-2", 8)):
        request = ExportMetricsServiceRequest()
        group = request.resource_metrics.add()
        group.resource.attributes.extend(
            key_values(
                {"service.name": "shop", "service.instance.id": instance, "process.pid": pid}
            )
        )
        data = group.scope_metrics.add().metrics.add(name="load").gauge.data_points
        data.add(time_unix_nano=NOW, as_double=1.0)
        running.post("/v1/metrics", request.SerializeToString())
    response = running.http.get("/api/metrics/series", params={"service": "shop", "name": "load"})
    instances = [one["instance"] for one in response.json()["series"]]
    assert sorted(instances, key=str) == [
        {"service.instance.id": "a-1"},
        {"service.instance.id": "b-2"},
    ]


def test_a_metrics_request_without_a_service_gets_a_400(running: Running) -> None:
    response = running.http.get("/api/metrics/series", params={"name": "x"})
    assert (response.status_code, "service is missing" in response.text) == (400, True)
