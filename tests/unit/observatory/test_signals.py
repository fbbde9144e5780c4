"""Log lines in the order of time, and metrics over time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from observatory.receive.attributes import Attributes, attributes_of_rows
from observatory.signals.logs import Position
from observatory.signals.points import Point
from observatory.signals.quantiles import quantiles_of
from observatory.store import Store
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import INTERNAL, Trace, key_values, purchase

NOW = 1_700_000_000_000_000_000


def lines(running: Running, **asked: Any) -> dict[str, Any]:
    answer = running.http.get("/api/logs", params=asked)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def bodies(page: dict[str, Any]) -> list[str]:
    return [line["body"] for line in page["logs"]]


def numbered(running: Running, count: int, apart_ms: float = 1.0) -> Trace:
    """A trace with ``count`` log lines, "line 0" and so on."""
    trace = Trace(began_unix_nano=NOW)
    span = trace.span("page", "buy", INTERNAL, 0, 1)
    for number in range(count):
        trace.log("page", span, number * apart_ms, "INFO", f"line {number}")
    running.send(trace)
    return trace


def test_lines_come_newest_first_page_after_page(running: Running) -> None:
    """The pages together are all lines, also where several were written at the same time."""
    trace = numbered(running, 7, apart_ms=0)
    found: list[str] = []
    page = lines(running, limit=3)
    while page["next"]:
        found += bodies(page)
        page = lines(running, limit=3, before=page["next"])
    found += bodies(page)
    assert found == [f"line {number}" for number in range(6, -1, -1)]
    (line,) = lines(running, limit=1)["logs"]
    assert line["time"] == "2023-11-14T22:13:20.000Z"
    assert line["trace_id"] == trace.trace_id.hex()
    assert (line["severity_number"], line["severity_text"], line["service"]) == (9, "INFO", "page")


def test_the_tail_misses_no_line(running: Running) -> None:
    """After a line come the next ones, however many were written since, and its own moment."""
    numbered(running, 9)
    after = str(NOW + 2_000_000)
    assert bodies(lines(running, after=after, limit=3)) == [
        "line 5",
        "line 4",
        "line 3",
        "line 2",
    ]
    assert bodies(lines(running, after=str(NOW + 8_000_000))) == ["line 8"]
    assert bodies(lines(running, before=str(NOW + 2_000_000))) == ["line 1", "line 0"]


def test_lines_are_found_by_severity_words_trace_and_filter(running: Running) -> None:
    """Each narrows the lines; a filter is about their traces, a range about their own time."""
    paid, declined = purchase("order-1", began_unix_nano=NOW), purchase("order-2", decline=True)
    running.send(paid)
    running.send(declined)
    assert bodies(lines(running, severity_at_least=13)) == [
        "order order-2 is declined: the signature fits"
    ]
    assert len(bodies(lines(running, text="HELD night-ferry"))) == 2
    assert bodies(lines(running, text="held nothing")) == []
    assert len(bodies(lines(running, text="issue"))) == 1  # by its service
    assert len(bodies(lines(running, trace=paid.trace_id.hex()))) == 3
    assert len(bodies(lines(running, q="state = declined"))) == 2
    until = NOW // 1_000_000 + 1_000
    assert bodies(lines(running, to=until)) == ["held 2 seats of night-ferry for order order-1"]
    assert len(bodies(lines(running, last=60))) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"before": "x"}, "before is 'x'"),
        ({"after": "1", "before": "2"}, "two questions"),
        ({"trace": "12"}, "no trace id"),
        ({"severity_at_least": "warn"}, "severity_at_least is 'warn'"),
        ({"limit": "1001"}, "1 to 1000"),
        ({"colour": "red"}, "no parameter 'colour'"),
        ({"q": "state ="}, ""),
    ],
)
def test_a_wrong_question_about_lines_is_refused(
    running: Running, asked: dict[str, str], said: str
) -> None:
    """The message names the parameter."""
    answer = running.http.get("/api/logs", params=asked)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_a_place_is_told_as_it_is_read() -> None:
    """A place is a time, and the row where several lines have it."""
    assert (str(Position(5)), str(Position(5, 0))) == ("5", "5.0")


def attributes(value: dict[str, Any]) -> Attributes:
    return attributes_of_rows([[each.SerializeToString() for each in key_values(value)]])


@pytest.fixture
def measured(start: Callable[..., Running], tmp_path: Path) -> Running:
    """An Observatory with a gauge, a counter of two series, and a histogram."""
    path = tmp_path / "metrics.duckdb"
    store = Store(path)

    def add(cursor: Any) -> None:
        def point(name: str, type_: str, seconds: float, show: str, **values: Any) -> None:
            told = attributes({"show": show, "seats": 2})
            row: dict[str, Any] = {
                "name": name,
                "description": "what it is",
                "unit": "1",
                "type": type_,
                "time_unix_nano": NOW + round(seconds * 1e9),
                "attributes": dict(told.maps[0].as_py()),
                "attribute_types": told.types[0].as_py(),
                "service_name": "page",
                "scope_name": "",
                "resource_id": 1,
                "received_unix_nano": NOW,
                **values,
            }
            columns, marks = ", ".join(row), ", ".join(f"${name}" for name in row)
            cursor.execute(f"insert into raw_metrics ({columns}) values ({marks})", row)  # noqa: S608

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


def test_metrics_are_listed_with_how_much_there_is(measured: Running) -> None:
    """Each metric of a service has a line that counts its points and series."""
    found = measured.http.get("/api/metrics").json()["metrics"]
    assert [(one["name"], one["type"], one["points"], one["series"]) for one in found] == [
        ("free", "gauge", 2, 1),
        ("sold", "sum", 6, 2),
        ("took", "histogram", 3, 1),
    ]
    assert found[0]["description"] == "what it is"


def series(running: Running, name: str, **time: float) -> dict[str, Any]:
    asked: dict[str, str | float] = {"name": name, "service": "page", **time}
    answer = running.http.get("/api/metrics/series", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_gauge_is_told_as_it_is_and_a_counter_by_its_growth(measured: Running) -> None:
    """What only grows is told per second, and a counter that began anew doesn't go below 0."""
    at = [NOW / 1e6 + ms for ms in (0, 10_000, 20_000)]
    free = series(measured, "free")
    assert (free["rate"], free["quantiles"]) == (False, None)
    assert free["series"] == [
        {"attributes": {"show": "ferry", "seats": 2}, "points": [[at[0], 1.5], [at[1], 2.5]]}
    ]
    sold = series(measured, "sold")
    assert sold["rate"]
    told = {one["attributes"]["show"]: one["points"] for one in sold["series"]}
    assert told["ferry"] == [[at[1], 2.0], [at[2], 1.0]]
    assert told["tram"] == [[at[1], 4.0], [at[2], 2.0]]
    assert len(series(measured, "free", to=at[1])["series"][0]["points"]) == 1
    assert series(measured, "nothing")["series"] == []


def test_a_histogram_is_told_by_its_quantiles(measured: Running) -> None:
    """Of counts that go on, each moment shows what came since the one before."""
    took = series(measured, "took")
    at = [NOW / 1e6 + ms for ms in (10_000, 20_000)]
    assert took["quantiles"]["p50"] == [[at[0], 15.0], [at[1], 20.0]]
    assert took["quantiles"]["p95"][0] == [at[0], 19.5]
    assert took["series"][0]["points"] == [[at[0], 1.0], [at[1], 1.0]]


def test_quantiles_of_deltas_and_of_nothing() -> None:
    """Counts that start anew each time are taken as they are; no values have no quantile."""

    def point(seconds: int, counts: list[int]) -> Point:
        return Point(
            seconds * 10**9, None, None, sum(counts), None, [10.0], counts,
            {}, "", 1, "histogram", False, "delta",
        )  # fmt: skip

    found = quantiles_of([[point(1, [4, 0]), point(2, [0, 0])], [point(1, [0, 4])]])
    assert found["p50"] == [(1000.0, 10.0), (2000.0, None)]
    assert quantiles_of([]) == {"p50": [], "p95": []}


def test_a_metric_must_be_named(running: Running) -> None:
    """Without a name or a service the question is refused."""
    answer = running.http.get("/api/metrics/series", params={"name": "x"})
    assert (answer.status_code, "service is missing" in answer.text) == (400, True)
