"""Export to OTLP/JSON, and import of OTLP/JSON and Jaeger's JSON."""

import base64
import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observatory.import_export.exporting import export
from observatory.import_export.importing import imported
from observatory.journey.reading import trace_key
from observatory.receive.logs import logs_of
from observatory.receive.metrics import metrics_of
from observatory.receive.spans import spans_of
from observatory.store import Store
from tests.unit.observatory.conftest import JSON, Running
from tests.unit.observatory.telemetry import INTERNAL, Trace, key_values, purchase

EVERY_TYPE: dict[str, Any] = {
    "text": "night-ferry",
    "looks.like.a.number": "12",
    "looks.like.bytes": "base64:AAH/",
    "empty": "",
    "int": 2,
    "large": 2**62,
    "double": 2.0,
    "nan": float("nan"),
    "infinite": float("-inf"),
    "true": True,
    "false": False,
    "none": None,
    "bytes": b"\x00\x01\xff",
    "list": ["a", 1, 1.0, False, None, b"\x00"],
    "nested": {"a": {"b": [1, {"c": "d"}]}},
    "markup": '<b a="1">&\u2028',
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(tmp_path / "one.duckdb")
    yield opened
    opened.close()


Requests = tuple[ExportTraceServiceRequest, ExportLogsServiceRequest, ExportMetricsServiceRequest]
REFERENCED_RESOURCES = """
with referenced as (
    select resource_id from raw_spans union select resource_id from raw_logs
    union select resource_id from raw_metrics
)
"""


def add(store: Store, trace: Trace) -> None:
    store.add(spans_of(trace.request().SerializeToString()).rows).result(10)
    if trace.logs:
        store.add(logs_of(trace.logs_request().SerializeToString()).rows).result(10)


def exported(store: Store) -> bytes:
    """Return the export of everything in a store."""
    with store.reader() as reader:
        keys = reader.execute("select distinct trace_key from raw_spans").fetchall()
        return b"".join(export(reader, [key for (key,) in keys], everything=True))


def rows(store: Store) -> dict[str, list[str]]:
    """Return the rows of a store without their received times, and the resources they refer to.

    Rows are returned as text, because NaN is not equal to itself.
    """
    with store.reader() as reader:
        return {
            table: sorted(
                map(repr, reader.execute(REFERENCED_RESOURCES + columns + table).fetchall())
            )
            for table, columns in (
                ("from raw_spans", "select * exclude (received_unix_nano) "),
                ("from raw_logs", "select * exclude (received_unix_nano) "),
                ("from raw_metrics", "select * exclude (received_unix_nano) "),
                ("from resources semi join referenced using (resource_id)", "select * "),
            )
        }


def rows_of_copy(store: Store, path: Path) -> dict[str, list[str]]:
    """Import the export of ``store`` into a new store and return its rows."""
    copy = Store(path)
    try:
        for batch in imported(exported(store)).batches:
            if batch.rows.table.num_rows:
                copy.add(batch.rows).result(10)
        return rows(copy)
    finally:
        copy.close()


def test_an_export_is_otlp_json(store: Store) -> None:
    """Ids are hexadecimal, 64-bit integers are strings, enums are numbers; types are preserved."""
    trace = Trace(began_unix_nano=1_700_000_000_123_456_789)
    parent = trace.span("page", "buy", INTERNAL, 0, 1)
    span = trace.span("page", "press", INTERNAL, 0, 2, parent, error="no", links=[parent])
    span.attributes.extend(key_values(EVERY_TYPE))
    span.events.add(name="exception", time_unix_nano=5, attributes=key_values({"n": 3}))
    trace.log("page", span, 1, "WARN", "look")
    add(store, trace)
    document = json.loads(exported(store))
    (group,) = document["resourceSpans"]
    assert group["resource"]["attributes"][0] == {
        "key": "service.name",
        "value": {"stringValue": "page"},
    }
    (scope,) = group["scopeSpans"]
    assert scope["scope"] == {"name": "throughline"}
    first, second = scope["spans"]
    assert first["startTimeUnixNano"] == "1700000000123456789"
    assert (first["traceId"], first["kind"]) == (trace.trace_id.hex(), 1)
    assert not {"parentSpanId", "status", "links", "events", "attributes"} & first.keys()
    assert second["parentSpanId"] == parent.span_id.hex()
    assert second["status"] == {"code": 2, "message": "no"}
    assert second["links"] == [{"traceId": trace.trace_id.hex(), "spanId": parent.span_id.hex()}]
    assert second["events"] == [
        {
            "timeUnixNano": "5",
            "name": "exception",
            "attributes": [{"key": "n", "value": {"intValue": "3"}}],
        }
    ]
    values = {one["key"]: one["value"] for one in second["attributes"]}
    assert values["looks.like.a.number"] == {"stringValue": "12"}
    assert values["large"] == {"intValue": str(2**62)}
    assert values["double"] == {"doubleValue": 2.0}
    assert values["nan"] == {"doubleValue": "NaN"}
    assert values["none"] == {}
    assert values["bytes"] == {"bytesValue": "AAH/"}
    assert values["looks.like.bytes"] == {"stringValue": "base64:AAH/"}
    assert values["list"]["arrayValue"]["values"][1:3] == [{"intValue": "1"}, {"doubleValue": 1.0}]
    (log,) = document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert log["body"] == {"stringValue": "look"}
    assert (log["severityNumber"], log["traceId"]) == (13, trace.trace_id.hex())


def test_protobufs_json_parser_reads_an_export(store: Store) -> None:
    """Protobuf's own JSON parser, given the ids in base64, returns the spans that were sent."""
    trace = purchase("order-1")
    span = trace.span("page", "press", INTERNAL, 0, 2)
    span.attributes.extend(key_values(EVERY_TYPE))
    add(store, trace)
    document = json.loads(exported(store))
    message = ExportTraceServiceRequest()
    json_format.ParseDict({"resourceSpans": in_base64(document["resourceSpans"])}, message)
    logs = ExportLogsServiceRequest()
    json_format.ParseDict({"resourceLogs": in_base64(document["resourceLogs"])}, logs)
    sent = {span.span_id: span for _, span in trace.spans}
    read = {
        span.span_id: span
        for group in message.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    }
    assert read.keys() == sent.keys()
    for span_id, span in read.items():
        assert span.SerializeToString() == sent[span_id].SerializeToString()


def test_an_export_has_the_format_that_jaeger_reads(running: Running) -> None:
    """Jaeger's parser (`ptrace.JSONUnmarshaler`) rejects a document with a single invalid value.

    It reads one document with `resourceSpans`, or one per line, checks ids, enums and numbers, and
    ignores other members.
    """
    trace = Trace()
    span = trace.span("page", "press", INTERNAL, 0, 2, error="no")
    span.attributes.extend(key_values(EVERY_TYPE))
    span.events.add(name="odd", attributes=key_values(EVERY_TYPE))
    span.links.add(trace_id=b"short", span_id=b"")
    span.links.add(trace_id=trace.trace_id, span_id=span.span_id)
    span.status.code = 7  # type: ignore[assignment]
    span.kind = 99  # type: ignore[assignment]
    trace.span("page", "next", INTERNAL, 1, 2, span, error="no")
    trace.log("page", span, 1, "INFO", "held")
    running.send(trace, "page")
    text = running.http.get("/api/export").text
    assert "\n" not in text
    assert "resourceSpans" in json.loads(text)
    all_members = list(members(json.loads(text)))
    for name, is_valid in VALID_VALUES.items():
        values = [value for key, value in all_members if key == name]
        assert values, name
        assert [value for value in values if not is_valid(value)] == [], name


def is_integer(value: Any) -> bool:
    return isinstance(value, str) and -(2**63) <= int(value) < 2**64


def is_hex(digits: int) -> Callable[[Any], bool]:
    return lambda value: re.fullmatch(f"[0-9a-f]{{{digits}}}", value) is not None


# A check of the values of each member with a prescribed format.
VALID_VALUES: dict[str, Callable[[Any], bool]] = {
    "traceId": is_hex(32),
    "spanId": is_hex(16),
    "parentSpanId": is_hex(16),
    "intValue": is_integer,
    "timeUnixNano": is_integer,
    "startTimeUnixNano": is_integer,
    "endTimeUnixNano": is_integer,
    "doubleValue": lambda value: (
        isinstance(value, float) or value in ("NaN", "Infinity", "-Infinity")
    ),
    "boolValue": lambda value: isinstance(value, bool),
    "bytesValue": lambda value: base64.b64encode(base64.b64decode(value)).decode() == value,
    "stringValue": lambda value: isinstance(value, str),
    "kind": lambda value: value in range(6),
    "code": lambda value: value in range(3),
}


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every member of every object in a JSON document."""
    if isinstance(value, list):
        for item in value:
            yield from members(item)
    elif isinstance(value, dict):
        yield from value.items()
        for item in value.values():
            yield from members(item)


def in_base64(value: Any) -> Any:
    if isinstance(value, list):
        return [in_base64(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(item)).decode()
            if key in ("traceId", "spanId", "parentSpanId")
            else in_base64(item)
            for key, item in value.items()
        }
    return value


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    texts,
    texts.map(lambda text: "base64:" + text),
    st.binary(max_size=5),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
attributes = st.dictionaries(texts, values, max_size=4)
times = st.integers(0, 2**64 - 1)


finite = st.floats(allow_nan=False)
bounds = st.lists(finite, min_size=1, max_size=3, unique=True).map(sorted)


@st.composite
def metrics(draw: st.DrawFn) -> ExportMetricsServiceRequest:
    """Generate metrics of the types that are stored unchanged, with any content."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.extend(key_values(draw(attributes)))
    scope = group.scope_metrics.add()
    scope.scope.name = draw(texts)
    for type_ in draw(st.lists(st.sampled_from(["gauge", "sum", "histogram", "summary"]))):
        metric = scope.metrics.add(
            name=draw(texts) + type_, description=draw(texts), unit=draw(texts)
        )
        data = getattr(metric, type_)
        if type_ in ("sum", "histogram"):
            data.aggregation_temporality = draw(st.integers(0, 2))
        if type_ == "sum":
            data.is_monotonic = draw(st.booleans())
        for _ in range(draw(st.integers(1, 2))):
            point = data.data_points.add(
                time_unix_nano=draw(st.integers(1, 2**63 - 1)),
                start_time_unix_nano=draw(st.integers(0, 2**63 - 1)),
                attributes=key_values(draw(attributes)),
            )
            if type_ in ("gauge", "sum"):
                point.flags = draw(st.integers(0, 1))
                point.as_double = draw(st.floats())
                continue
            point.count = draw(st.integers(0, 2**64 - 1))
            if type_ == "summary" or draw(st.booleans()):
                point.sum = draw(st.floats())
            if type_ == "histogram" and draw(st.booleans()):
                point.explicit_bounds.extend(draw(bounds))
                for _ in range(len(point.explicit_bounds) + 1):
                    point.bucket_counts.append(draw(st.integers(0, 2**64 - 1)))
            if type_ == "summary":
                for quantile in draw(st.lists(finite, max_size=2, unique=True)):
                    point.quantile_values.add(quantile=quantile, value=draw(st.floats()))
    return request


@st.composite
def requests(draw: st.DrawFn) -> Requests:
    """Generate telemetry of any content in a few traces, resources and scopes."""
    spans, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    traces = [secrets.token_bytes(16) for _ in range(3)]
    for _ in range(draw(st.integers(1, 3))):
        group = spans.resource_spans.add()
        group.resource.attributes.extend(key_values(draw(attributes)))
        scope = group.scope_spans.add()
        scope.scope.name = draw(texts)
        for _ in range(draw(st.integers(0, 3))):
            span = scope.spans.add(
                trace_id=draw(st.sampled_from(traces)),
                span_id=secrets.token_bytes(8),
                parent_span_id=draw(st.sampled_from([b"", b"12345678"])),
                name=draw(texts),
                kind=draw(st.integers(0, 5)),
                trace_state=draw(texts),
                start_time_unix_nano=draw(times),
                end_time_unix_nano=draw(times),
                attributes=key_values(draw(attributes)),
            )
            span.status.code = draw(st.integers(0, 2))
            span.status.message = draw(texts)
            if draw(st.booleans()):
                span.events.add(
                    name=draw(texts),
                    time_unix_nano=draw(times),
                    attributes=key_values(draw(attributes)),
                )
                span.links.add(
                    trace_id=draw(st.sampled_from(traces)),
                    span_id=secrets.token_bytes(8),
                    attributes=key_values(draw(attributes)),
                )
    group_of_logs = logs.resource_logs.add()
    group_of_logs.resource.attributes.extend(key_values(draw(attributes)))
    for _ in range(draw(st.integers(0, 3))):
        record = group_of_logs.scope_logs.add().log_records.add(
            time_unix_nano=draw(st.integers(1, 2**64 - 1)),
            severity_number=draw(st.integers(0, 24)),
            severity_text=draw(texts),
            event_name=draw(texts),
            trace_id=draw(st.sampled_from([b"", secrets.token_bytes(16), *traces])),
            attributes=key_values(draw(attributes)),
        )
        record.body.CopyFrom(key_values({"body": draw(values)})[0].value)
    return spans, logs, draw(metrics())


@pytest.mark.parametrize("examples", [12, pytest.param(200, marks=pytest.mark.long)])
def test_importing_an_export_restores_all_rows(tmp_path: Path, examples: int) -> None:
    """This holds for any content."""

    @settings(max_examples=examples)
    @given(requests())
    def check(sent: Requests) -> None:
        check_round_trip(tmp_path, sent)

    check()


def check_round_trip(folder: Path, sent: Requests) -> None:
    """Store the requests in a new file, and compare its rows with those of a copy."""
    name = secrets.token_hex(8)
    store = Store(folder / f"{name}.duckdb")
    try:
        bodies = [request.SerializeToString() for request in sent]
        for batch in (spans_of(bodies[0]), logs_of(bodies[1]), metrics_of(bodies[2])):
            if batch.rows.table.num_rows:
                store.add(batch.rows).result(10)
        assert rows_of_copy(store, folder / f"{name}-copy.duckdb") == rows(store)
    finally:
        store.close()


def test_identical_summaries_are_not_merged(store: Store, tmp_path: Path) -> None:
    """Two equal summaries without quantiles are still two after an import."""
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for _ in range(2):
        scope.metrics.add(name="wait").summary.data_points.add(time_unix_nano=1)
    store.add(metrics_of(request.SerializeToString()).rows).result(10)
    assert rows_of_copy(store, tmp_path / "copy.duckdb") == rows(store)


def test_an_export_holds_a_trace_a_selection_or_everything(running: Running) -> None:
    """Nothing else is in it; the response has a file name and a content type."""
    first, second = purchase("order-1"), purchase("order-2", decline=True)
    running.send(first)
    running.send(second)
    one = running.http.get("/api/export", params={"trace": first.trace_id.hex()})
    assert one.headers["content-type"] == "application/json"
    file_name = f'filename="trace-{first.trace_id.hex()[:8]}.json"'
    assert file_name in one.headers["content-disposition"]
    assert traces_in(one.json()) == {first.trace_id.hex()}
    assert len(one.json()["resourceLogs"]) == 3
    declined = running.http.get("/api/export", params={"q": "state = declined"})
    assert traces_in(declined.json()) == {second.trace_id.hex()}
    both = running.http.get("/api/export").json()
    assert traces_in(both) == {first.trace_id.hex(), second.trace_id.hex()}
    empty = running.http.get("/api/export", params={"q": "state = lost"}).json()
    assert empty == {"resourceSpans": []}
    ids = [first.trace_id.hex(), "ab" * 16]
    assert running.http.get("/api/export", params={"trace": ids}).status_code == 404
    assert running.http.get("/api/export", params={"trace": "x"}).status_code == 400


def test_metrics_are_exported_with_everything_and_can_be_imported(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """Summaries are restored and exponential histograms become histograms with explicit bounds.

    The export of a trace or of a selection contains no metrics.
    """
    source, target = start(tmp_path / "here.duckdb"), start(tmp_path / "there.duckdb")
    trace = purchase("order-1")
    source.send(trace)
    sent = ExportMetricsServiceRequest()
    scope = sent.resource_metrics.add().scope_metrics.add()
    orders = scope.metrics.add(name="orders", unit="{order}").sum
    orders.is_monotonic, orders.aggregation_temporality = True, 2
    orders.data_points.add(time_unix_nano=9, start_time_unix_nano=3, as_double=4)
    wait = scope.metrics.add(name="wait").summary.data_points.add(time_unix_nano=9, count=2, sum=3)
    wait.quantile_values.add(quantile=0.5, value=1)
    wait.quantile_values.add(quantile=0.99, value=2)
    took = scope.metrics.add(name="took").exponential_histogram
    took.data_points.add(time_unix_nano=9, count=3).positive.bucket_counts.append(3)
    assert source.post("/v1/metrics", sent.SerializeToString()).status_code == 200
    exported_document = source.http.get("/api/export").json()
    read = ExportMetricsServiceRequest()
    json_format.ParseDict({"resourceMetrics": exported_document["resourceMetrics"]}, read)
    metrics_by_name = {
        metric.name: metric for metric in read.resource_metrics[0].scope_metrics[0].metrics
    }
    assert [metrics_by_name[metric.name] for metric in scope.metrics[:2]] == list(scope.metrics[:2])
    histogram = metrics_by_name["took"].histogram.data_points[0]
    assert (list(histogram.explicit_bounds), list(histogram.bucket_counts)) == ([1, 2], [0, 3, 0])
    import_response = target.http.post("/api/import", json=exported_document)
    assert (import_response.status_code, import_response.json()["metrics"]) == (200, 4), (
        import_response.text
    )
    exported_again = target.http.get("/api/export").json()
    assert exported_again["resourceMetrics"] == exported_document["resourceMetrics"]
    for query in ({"trace": trace.trace_id.hex()}, {"q": "state = ticketed"}):
        assert "resourceMetrics" not in source.http.get("/api/export", params=query).json()
    bad = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": 3}]}]}]}
    refused = target.http.post("/api/import", json=bad)
    assert refused.status_code == 400
    assert "resourceMetrics[0].scopeMetrics[0].metrics[0]" in refused.json()["error"]["message"]


def traces_in(document: dict[str, Any]) -> set[str]:
    return {
        span["traceId"]
        for group in document["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    }


def test_an_export_can_be_imported_into_another_observatory(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """The trace shows the same rows there; importing it twice stores it once."""
    source, target = start(tmp_path / "here.duckdb"), start(tmp_path / "there.duckdb")
    trace = purchase("order-1")
    source.send(trace)
    exported_document = source.http.get("/api/export").content
    for _ in range(2):
        import_response = target.http.post("/api/import", content=exported_document, headers=JSON)
        assert import_response.status_code == 200, import_response.text
        assert import_response.json() == {
            "spans": 24,
            "logs": 3,
            "metrics": 0,
            "rejected": 0,
            "reason": "",
            "trace_ids": [trace.trace_id.hex()],
        }
    source_trace, target_trace = (
        side.client.trace(trace.trace_id.hex()) for side in (source, target)
    )
    assert target_trace["rows"][0]["attributes"] == source_trace["rows"][0]["attributes"]
    assert [row["span_id"] for row in target_trace["rows"]] == [
        row["span_id"] for row in source_trace["rows"]
    ]
    assert trace_key(trace.trace_id.hex()) < 2**64


def test_a_file_with_one_document_per_line_is_imported(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """OpenTelemetry's collector writes such files, with a request per line."""
    source, target = start(tmp_path / "here.duckdb"), start(tmp_path / "there.duckdb")
    traces = [purchase("order-1"), purchase("order-2")]
    lines = []
    for trace in traces:
        source.send(trace)
        lines.append(source.http.get(f"/api/export?trace={trace.trace_id.hex()}").content.strip())
    import_response = target.http.post(
        "/api/import", content=b"\n\n".join(lines) + b"\n", headers=JSON
    )
    assert import_response.status_code == 200, import_response.text
    assert import_response.json() == {
        "spans": 48,
        "logs": 6,
        "metrics": 0,
        "rejected": 0,
        "reason": "",
        "trace_ids": [trace.trace_id.hex() for trace in traces],
    }


JAEGER: dict[str, Any] = {
    "data": [
        {
            "traceID": "abc123",
            "spans": [
                {
                    "traceID": "abc123",
                    "spanID": "1",
                    "operationName": "buy",
                    "references": [],
                    "startTime": 1_700_000_000_000_000,
                    "duration": 2_000,
                    "tags": [
                        {"key": "span.kind", "type": "string", "value": "client"},
                        {"key": "http.response.status_code", "type": "int64", "value": 200},
                        {"key": "ratio", "type": "float64", "value": 0.5},
                        {"key": "cold", "type": "bool", "value": True},
                        {"key": "raw", "type": "binary", "value": "AAE="},
                        {"key": "otel.scope.name", "type": "string", "value": "throughline"},
                    ],
                    "logs": [],
                    "processID": "p1",
                    "warnings": None,
                },
                {
                    "traceID": "abc123",
                    "spanID": "2",
                    "operationName": "charge",
                    "references": [
                        {"refType": "FOLLOWS_FROM", "traceID": "def", "spanID": "9"},
                        {"refType": "CHILD_OF", "traceID": "abc123", "spanID": "1"},
                    ],
                    "startTime": 1_700_000_000_000_500,
                    "duration": 1_000,
                    "tags": [
                        {"key": "error", "type": "bool", "value": True},
                        {"key": "otel.status_description", "type": "string", "value": "declined"},
                    ],
                    "logs": [
                        {
                            "timestamp": 1_700_000_000_000_700,
                            "fields": [
                                {"key": "event", "type": "string", "value": "exception"},
                                {"key": "exception.type", "type": "string", "value": "Declined"},
                            ],
                        }
                    ],
                    "processID": "p2",
                },
            ],
            "processes": {
                "p1": {"serviceName": "page", "tags": []},
                "p2": {
                    "serviceName": "charge",
                    "tags": [{"key": "service.version", "type": "string", "value": "1"}],
                },
            },
        }
    ]
}


def test_jaegers_json_is_imported(running: Running) -> None:
    """Kind, status, parent, links, events, resource and scope are converted."""
    import_response = running.http.post("/api/import", json=JAEGER)
    assert import_response.status_code == 200, import_response.text
    trace_id = "abc123".rjust(32, "0")
    assert import_response.json()["trace_ids"] == [trace_id]
    journey = running.client.trace(trace_id)
    buy, charge = journey["rows"]
    assert (buy["name"], buy["kind"], buy["scope"]) == ("buy", "CLIENT", "throughline")
    assert buy["duration_ms"] == 2.0
    assert buy["attributes"] == {
        "http.response.status_code": 200,
        "ratio": 0.5,
        "cold": True,
        "raw": "base64:AAE=",
    }
    assert charge["parent_span_id"] == buy["span_id"] == "0000000000000001"
    assert (charge["service"], charge["resource"]["service.version"]) == ("charge", "1")
    assert (charge["error"], charge["status_message"]) == (True, "declined")
    (link,) = charge["links"]
    assert link["trace_id"] == "def".rjust(32, "0")
    assert link["attributes"] == {"opentracing.ref_type": "follows_from"}
    (event,) = charge["events"]
    assert (event["name"], event["offset_ms"]) == ("exception", 0.7)
    assert event["attributes"] == {"exception.type": "Declined"}


def broken(path: str, value: Any) -> dict[str, Any]:
    """Return the Jaeger document with another value at ``path``; None removes it."""
    document: dict[str, Any] = json.loads(json.dumps(JAEGER))
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    container: Any = document
    for step in parents:
        container = container[step]
    if value is None:
        del container[last]
    else:
        container[last] = value
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"{", "It is not JSON: Expecting property name"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "neither OTLP/JSON"),
        (b'{"resourceSpans": []}\n{', "Line 2 is not JSON: Expecting property name"),
        (b'{"resourceSpans": []}\n\n[]', "Line 3 is not an object"),
        (
            b'{"resourceSpans": []}\n{"resourceLogs": 1}',
            "Line 2: resourceLogs is 1: it must be a list",
        ),
        (b"1 2", "Line 1 is not JSON: Extra data"),
        (b'{"data": {}}', "data is {}: it must be a list"),
        (b'{"resourceSpans": 1}', "resourceSpans"),
        (
            b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}, {"endTimeUnixNano": "x"}]}]}]}',
            "resourceSpans[0].scopeSpans[0].spans[1]: The body is not an OTLP",
        ),
        (broken("data.0.spans.1.startTime", "x"), "data[0].spans[1].startTime is 'x'"),
        (broken("data.0.spans.1.duration", -1), "data[0].spans[1].duration is -1"),
        (broken("data.0.spans.0.spanID", None), "data[0].spans[0] has no spanID"),
        (broken("data.0.spans.0.spanID", "zz"), "data[0].spans[0].spanID is 'zz'"),
        (broken("data.0.spans.0.processID", "p9"), "'p9', but processes has no such entry"),
        (broken("data.0.spans.0.tags", {}), "data[0].spans[0].tags is {}: it must be a list"),
        (
            broken("data.0.spans.0.tags.1.value", "x"),
            "tags[1].value is 'x': it must be a valid int64",
        ),
        (broken("data.0.spans", "none"), "data[0].spans is 'none': it must be a list"),
        (broken("data.0.processes", []), "data[0].processes is []: it must be an object"),
    ],
)
def test_an_invalid_file_is_refused_with_the_path_of_the_error(
    running: Running, document: bytes | dict[str, Any], message: str
) -> None:
    """Nothing from the file is stored."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    response = running.http.post("/api/import", content=body, headers=JSON)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_file"
    assert message in response.json()["error"]["message"]
    assert running.client.health()["spans"] == 0


def test_an_import_must_be_json_of_limited_size(running: Running) -> None:
    """A body that is too large, or sent as a form, is refused."""
    large = running.http.post("/api/import", content=b" " * (16 * 2**20 + 1), headers=JSON)
    assert large.status_code == 413
    assert "./scripts/trace import" in large.json()["error"]["message"]
    assert running.http.post("/api/import", content=b"{}").status_code == 400
