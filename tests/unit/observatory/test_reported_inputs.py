"""Inputs from public bug reports: invalid data never costs valid data beside it."""

from __future__ import annotations

import json
import secrets
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from observatory.journey.difference import difference_of
from observatory.journey.reading import SPANS_LIMIT
from observatory.receive import wire
from observatory.receive.wire import Encoding
from observatory.terminal.waterfall import render_waterfall
from tests.unit.observatory.conftest import JSON, Running
from tests.unit.observatory.telemetry import INTERNAL, Trace, key_values
from tests.unit.observatory.test_trace_command import trace_command

BEGAN = 1_767_225_600_000_000_000
SECOND = 10**9
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "reported"}}]}


def span(trace_id: str, name: str, **fields: Any) -> dict[str, Any]:
    """Return a span in OTLP/JSON."""
    return {
        "traceId": trace_id,
        "spanId": secrets.token_hex(8),
        "name": name,
        "startTimeUnixNano": str(BEGAN),
        "endTimeUnixNano": str(BEGAN + 5),
        **fields,
    }


def text(key: str, value: str) -> dict[str, Any]:
    """Return a string attribute in OTLP/JSON."""
    return {"key": key, "value": {"stringValue": value}}


def spans_request(*spans: dict[str, Any]) -> dict[str, Any]:
    """Return an OTLP/JSON request with these spans."""
    return {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"spans": list(spans)}]}]}


def post(running: Running, path: str, document: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Send an OTLP/JSON request and return its partial success."""
    response = running.http.post(path, content=json.dumps(document), headers=JSON | headers)
    assert response.status_code == 200, response.text
    partial: dict[str, Any] = response.json().get("partialSuccess", {})
    return partial


# Log records


def test_log_records_with_malformed_ids_are_kept_without_a_trace(running: Running) -> None:
    """logs.proto recommends this; the response warns about it."""
    trace_id = secrets.token_hex(16)
    ids = [
        {"traceId": trace_id, "spanId": "0102030405060708"},
        {"traceId": "abc123", "spanId": "0102030405060708"},
        {"traceId": trace_id, "spanId": "01"},
        {"traceId": "not hexadecimal", "spanId": ""},
    ]
    records = [
        {"timeUnixNano": str(BEGAN + n), "body": {"stringValue": f"line {n}"}, **each}
        for n, each in enumerate(ids)
    ]
    request = {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": records}]}]}
    partial = post(running, "/v1/logs", request)
    assert partial["errorMessage"].startswith("3 log records kept without a trace")
    assert "rejectedLogRecords" not in partial
    lines = running.http.get("/api/logs").json()["logs"]
    assert {line["body"]: line["trace_id"] for line in lines} == {
        "line 0": trace_id,
        "line 1": None,
        "line 2": None,
        "line 3": None,
    }


# JSON bodies


def test_half_a_surrogate_pair_is_repaired(running: Running) -> None:
    """The span with it and its neighbours are stored, and the response warns about it."""
    trace_id = secrets.token_hex(16)
    partial = post(
        running,
        "/v1/traces",
        spans_request(
            span(trace_id, "whole", attributes=[text("emoji", "😀")]),
            span(trace_id, "cut \udc00", attributes=[text("emoji", "cut \ud83d"), text("a", "b")]),
        ),
    )
    assert partial["errorMessage"].startswith("2 strings with half a surrogate pair repaired")
    rows = running.client.trace(trace_id)["rows"]
    assert {row["name"]: row["attributes"]["emoji"] for row in rows} == {
        "whole": "😀",
        "cut \ufffd": "cut \ufffd",
    }


@pytest.mark.parametrize(
    "bad",
    [
        {"startTimeUnixNano": "soon"},
        {"traceId": {}},
        {"attributes": [{"key": "n", "value": {"intValue": "many"}}]},
        {"kind": {}},
        {"links": 7},
    ],
)
def test_an_unreadable_span_is_rejected_alone(running: Running, bad: dict[str, Any]) -> None:
    """Its neighbours are stored, and the response names the error."""
    trace_id = secrets.token_hex(16)
    request = spans_request(span(trace_id, "before"), span(trace_id, "bad") | bad)
    request["resourceSpans"] += spans_request(span(trace_id, "after"))["resourceSpans"]
    partial = post(running, "/v1/traces", request)
    assert int(partial["rejectedSpans"]) == 1
    assert partial["errorMessage"].startswith("1 rejected: ")
    names = {row["name"] for row in running.client.trace(trace_id)["rows"]}
    assert names == {"before", "after"}


def test_unreadable_metrics_and_log_records_are_rejected_alone() -> None:
    """A rejected metric counts as its data points; camelCase and snake_case names are read."""
    points = [{"timeUnixNano": str(BEGAN), "asDouble": 1.0}, {"timeUnixNano": "soon"}]
    metrics = {
        "resource_metrics": [
            {
                "scope_metrics": [
                    {
                        "metrics": [
                            {"name": "good", "gauge": {"data_points": points[:1]}},
                            {"name": "bad", "gauge": {"data_points": points}},
                        ]
                    }
                ]
            }
        ]
    }
    decoded = wire.decode(
        wire.ExportMetricsServiceRequest, json.dumps(metrics).encode(), Encoding.JSON
    )
    assert decoded.rejected == 2
    request = wire.ExportMetricsServiceRequest.FromString(decoded.body)
    assert [each.name for each in request.resource_metrics[0].scope_metrics[0].metrics] == ["good"]
    records = [{"severityNumber": {}}, {"body": {"stringValue": "kept"}}]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    decoded = wire.decode(wire.ExportLogsServiceRequest, json.dumps(logs).encode(), Encoding.JSON)
    assert decoded.rejected == 1
    assert b"kept" in decoded.body


def test_protobuf_strings_that_are_not_utf_8_are_repaired(running: Running) -> None:
    """The span with one and its neighbours are stored, and the response warns about it."""
    trace = Trace()
    trace.span("page", "cut here", INTERNAL, 0, 1)
    trace.span("page", "whole", INTERNAL, 0, 1).attributes.extend(key_values({"raw": b"\xff"}))
    body = trace.request().SerializeToString().replace(b"cut here", b"cut \xf0\x9f\x98 ")
    response = running.post("/v1/traces", body)
    assert response.status_code == 200, response.text
    partial = wire.ExportTraceServiceResponse.FromString(response.content).partial_success
    assert (partial.rejected_spans, partial.error_message[:19]) == (0, "1 string repaired: ")
    rows = running.client.trace(trace.trace_id.hex())["rows"]
    assert {row["name"] for row in rows} == {"cut \ufffd ", "whole"}
    assert [row["attributes"] for row in rows if row["name"] == "whole"] == [{"raw": "base64:/w=="}]


def test_an_import_reports_repaired_strings(running: Running, tmp_path: Path) -> None:
    """The command reports them on stderr, the API in its response; the exit code is 0."""
    trace_id = secrets.token_hex(16)
    file = tmp_path / "cut.json"
    file.write_text(json.dumps(spans_request(span(trace_id, "cut \ud83d"), span(trace_id, "good"))))
    imported = trace_command("import", str(file), "--url", running.url)
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.startswith("Stored 2 spans")
    assert imported.stderr == (
        "trace: 1 string with half a surrogate pair repaired: the half is now U+FFFD.\n"
    )
    response = running.http.post("/api/import", content=file.read_bytes(), headers=JSON)
    assert response.json()["reason"].startswith("1 string with half a surrogate pair")


# Jaeger


def jaeger(*spans: dict[str, Any]) -> dict[str, Any]:
    """Return a Jaeger document of one trace."""
    jaeger_spans = [
        {
            "traceID": "a1b2",
            "operationName": each["spanID"],
            "startTime": BEGAN // 1000,
            "duration": 5,
            "processID": "p1",
            **each,
            "references": [
                {"refType": kind, "traceID": "a1b2", "spanID": span_id}
                for kind, span_id in each.get("references", [])
            ],
        }
        for each in spans
    ]
    trace = {
        "traceID": "a1b2",
        "spans": jaeger_spans,
        "processes": {"p1": {"serviceName": "reported"}},
    }
    return {"data": [trace]}


def imported_parents(running: Running, document: dict[str, Any]) -> dict[str, Any]:
    """Import a Jaeger document; return the parent and the linked spans of each span."""
    response = running.http.post("/api/import", json=document)
    assert response.status_code == 200, response.text
    rows = running.client.trace("a1b2".rjust(32, "0"))["rows"]
    return {
        row["name"]: (
            (row["parent_span_id"] or "").lstrip("0"),
            [link["span_id"].lstrip("0") for link in row["links"]],
        )
        for row in rows
    }


@pytest.mark.parametrize(
    ("references", "parents"),
    [
        pytest.param(
            {"1": [("FOLLOWS_FROM", "2")], "2": [("CHILD_OF", "1"), ("FOLLOWS_FROM", "1")]},
            {"1": ("", ["2"]), "2": ("1", [])},
            id="the root follows from its own child",
        ),
        pytest.param(
            {"1": [("FOLLOWS_FROM", "3")], "2": [("CHILD_OF", "1")], "3": [("CHILD_OF", "2")]},
            {"1": ("", ["3"]), "2": ("1", []), "3": ("2", [])},
            id="the root follows from its grandchild",
        ),
        pytest.param(
            {"1": [], "2": [("CHILD_OF", "2"), ("CHILD_OF", "1")]},
            {"1": ("", []), "2": ("1", ["2"])},
            id="a child of itself, then of its parent",
        ),
        pytest.param(
            {"1": [("FOLLOWS_FROM", "2")], "2": [("FOLLOWS_FROM", "1")]},
            {"1": ("2", []), "2": ("", ["1"])},
            id="two spans follow from each other",
        ),
        pytest.param(
            {"1": [], "2": [("FOLLOWS_FROM", "1")]},
            {"1": ("", []), "2": ("1", [])},
            id="a consumer follows from its producer",
        ),
    ],
)
def test_jaeger_references_make_no_cycles(
    running: Running, references: dict[str, Any], parents: dict[str, Any]
) -> None:
    """References that would make a span its own ancestor become links."""
    spans = [{"spanID": span_id, "references": each} for span_id, each in references.items()]
    assert imported_parents(running, jaeger(*spans)) == parents


def test_a_long_chain_of_follows_from_is_imported_in_linear_time(running: Running) -> None:
    """Finding the root above a span takes amortised constant time."""
    chain = [
        {"spanID": f"{n:x}", "references": [("FOLLOWS_FROM", f"{n - 1:x}")] if n > 1 else []}
        for n in range(20_000, 0, -1)
    ]
    started = time.monotonic()
    response = running.http.post("/api/import", json=jaeger(*chain), timeout=60)
    assert response.json()["spans"] == 20_000
    assert time.monotonic() - started < 45


def test_the_smallest_integer_of_jaeger_is_stored(running: Running) -> None:
    """-2^63 is a 64-bit integer."""
    tag = {"key": "min", "type": "int64", "value": -(2**63)}
    imported_parents(running, jaeger({"spanID": "1", "tags": [tag]}))
    (row,) = running.client.trace("a1b2".rjust(32, "0"))["rows"]
    assert int(row["attributes"]["min"]) == -(2**63)


# Browsers


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_a_beacon_of_another_origin_is_accepted(running: Running, method: str) -> None:
    """navigator.sendBeacon sends credentials, which the response must allow."""
    origin = "http://localhost:5002"
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    content = json.dumps(spans_request(span(secrets.token_hex(16), "beacon")))
    response = running.http.request(
        method, "/v1/traces", headers=JSON | headers, content=content if method == "POST" else b""
    )
    assert response.is_success
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["access-control-allow-credentials"] == "true"


def test_no_credentials_are_allowed_elsewhere(running: Running) -> None:
    """They are allowed neither for other origins nor for the API."""
    evil = running.http.post("/v1/traces", headers=JSON | {"origin": "https://evil.example"})
    api = running.http.get("/api/traces", headers={"origin": "http://localhost:5002"})
    for response in (evil, api):
        assert "access-control-allow-credentials" not in response.headers


# Metrics


def series(running: Running, name: str, **period: float) -> dict[str, Any]:
    """Return the API's response for a metric."""
    parameters: dict[str, str | float] = {"name": name, "service": "reported", **period}
    response = running.http.get("/api/metrics/series", params=parameters)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def send_metric(running: Running, name: str, kind: str, points: list[Any], **data: Any) -> None:
    """Send the data points of one metric."""
    metric = {"name": name, "unit": "ms", kind: {"dataPoints": points, **data}}
    scopes = [{"metrics": [metric]}]
    post(
        running,
        "/v1/metrics",
        {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": scopes}]},
    )


def times(seconds: float) -> dict[str, str]:
    """Return the start time and the time of a point, which is this long after it."""
    return {
        "startTimeUnixNano": str(BEGAN),
        "timeUnixNano": str(BEGAN + round(seconds * SECOND)),
    }


def test_each_quantile_of_a_summary_has_its_own_values(running: Running) -> None:
    """The series is not the rate of the summary's count."""
    for second, low, high in ((1, 10.0, 30.0), (11, 12.0, 50.0)):
        quantiles = [{"quantile": 0.5, "value": low}, {"quantile": 0.99, "value": high}]
        point = {**times(second), "count": "4", "sum": 80, "quantileValues": quantiles}
        send_metric(running, "summary", "summary", [point])
    metric_series = series(running, "summary")
    assert metric_series["rate"] is False
    values = {
        each["attributes"]["quantile"]: [value for _, value in each["points"]]
        for each in metric_series["series"]
    }
    assert values == {0.5: [10.0, 12.0], 0.99: [30.0, 50.0]}


CUMULATIVE = {"aggregationTemporality": 2}


def histogram(seconds: float, *counts: int, start: int = BEGAN) -> dict[str, Any]:
    """Return a cumulative histogram's data point."""
    return {
        **times(seconds),
        "startTimeUnixNano": str(start),
        "count": str(sum(counts)),
        "sum": 1,
        "bucketCounts": [str(count) for count in counts],
        "explicitBounds": [10, 20],
    }


def test_the_first_export_of_a_histogram_counts_from_its_start(running: Running) -> None:
    """A short-lived process may record all its observations before its first export."""
    points = [histogram(10, 0, 8, 0), histogram(20, 0, 8, 0)]
    send_metric(running, "took", "histogram", points, **CUMULATIVE)
    metric_series = series(running, "took")
    first, second = ((BEGAN + seconds * SECOND) / 1e6 for seconds in (10, 20))
    assert metric_series["quantiles"]["p50"] == [[first, 15.0], [second, None]]
    assert metric_series["series"][0]["points"] == [[first, 0.8], [second, 0.0]]


def test_a_later_period_does_not_count_from_the_start(running: Running) -> None:
    """Observations before the period do not count."""
    points = [histogram(10, 0, 8, 0), histogram(20, 0, 8, 4), histogram(30, 4, 8, 4)]
    send_metric(running, "took", "histogram", points, **CUMULATIVE)
    period_start = (BEGAN + 15 * SECOND) / 1e6
    metric_series = series(running, "took", **{"from": period_start})
    assert len(metric_series["quantiles"]["p50"]) == 1
    assert metric_series["quantiles"]["p50"][0][1] == 5.0


def test_a_restart_counts_from_its_own_start(running: Running) -> None:
    """This holds even if the new counts exceed the old ones."""
    restarted = histogram(20, 9, 8, 0, start=BEGAN + 12 * SECOND)
    send_metric(running, "took", "histogram", [histogram(10, 0, 8, 0), restarted], **CUMULATIVE)
    assert series(running, "took")["quantiles"]["p50"][1][1] == pytest.approx(8.5 / 9 * 10)


def test_the_first_export_of_a_counter_counts_from_its_start(running: Running) -> None:
    """The value is a rate; a start time equal to the point's time means an unknown start."""
    point = {**times(10), "asInt": "50"}
    data = {**CUMULATIVE, "isMonotonic": True}
    send_metric(running, "sold", "sum", [point], **data)
    assert [value for _, value in series(running, "sold")["series"][0]["points"]] == [5.0]
    unknown = {**point, "startTimeUnixNano": point["timeUnixNano"]}
    send_metric(running, "sold.unknown", "sum", [unknown], **data)
    assert series(running, "sold.unknown")["series"][0]["points"] == []


# Large traces


def chain(length: int) -> Any:
    """Return a trace in which every span has one child."""
    rows = [
        {
            "span_id": str(n),
            "parent_span_id": str(n - 1) if n else None,
            "hop": None,
            "service": "service",
            "name": f"step {n}",
            "offset_ms": float(n),
            "duration_ms": 1.0,
            "wait": None,
            "error": False,
            "indent": n,
        }
        for n in range(length)
    ]
    head = dict.fromkeys(
        ("trace_id", "root", "order_id", "order_state", "state_tone", "headline", "started_at")
    )
    counts = dict.fromkeys(("duration_ms", "spans", "errors", "orphans"), 0)
    return {**head, **counts, "services": None, "truncated": False, "rows": rows, "skew": None}


def test_the_difference_of_deep_traces_grows_with_their_spans() -> None:
    """Doubling the depth doubles the size of the result and the memory."""
    sizes, peaks = [], []
    for length in (1_000, 2_000):
        left, right = chain(length), chain(length)
        tracemalloc.start()
        difference = difference_of(left, right)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append(len(json.dumps(difference)))
        assert len({row["key"] for row in difference["rows"]}) == length
    assert sizes[1] < 2.2 * sizes[0]
    assert peaks[1] < 2.5 * peaks[0]


def test_the_terminal_reports_that_a_trace_is_cut(running: Running) -> None:
    """The header and a line of its own report it."""
    trace = Trace()
    top = trace.span("page", "top", INTERNAL, 0, 1)
    for number in range(SPANS_LIMIT):
        trace.span("page", f"step {number}", INTERNAL, 0, 1, top)
    running.send(trace)
    shown = render_waterfall(running.client.trace(trace.trace_id.hex()))
    assert f"the first {SPANS_LIMIT} spans" in shown
    assert f"The trace has more than {SPANS_LIMIT} spans" in shown
