"""Traces as OTLP/JSON and back, and from Jaeger's JSON."""

import base64
import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
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


NAMED = """
with named as (
    select resource_id from raw_spans union select resource_id from raw_logs
    union select resource_id from raw_metrics
)
"""


def add(store: Store, trace: Trace) -> None:
    store.add(spans_of(trace.request().SerializeToString()).rows).result(10)
    if trace.logs:
        store.add(logs_of(trace.logs_request().SerializeToString()).rows).result(10)


def exported(store: Store) -> bytes:
    """Everything that a store holds."""
    with store.reader() as reader:
        found = reader.execute("select distinct trace_key from raw_spans").fetchall()
        return b"".join(export(reader, [key for (key,) in found], everything=True))


def rows(store: Store) -> dict[str, list[str]]:
    """All rows of a store, but for when they were received, and the resources that they name.

    As text, since a number that is none is not even equal to itself.
    """
    with store.reader() as reader:
        return {
            table: sorted(map(repr, reader.execute(NAMED + columns + table).fetchall()))
            for table, columns in (
                ("from raw_spans", "select * exclude (received_unix_nano) "),
                ("from raw_logs", "select * exclude (received_unix_nano) "),
                ("from raw_metrics", "select * exclude (received_unix_nano) "),
                ("from resources semi join named using (resource_id)", "select * "),
            )
        }


def copied(store: Store, path: Path) -> dict[str, list[str]]:
    """The rows of a new store into which the export of ``store`` was imported."""
    other = Store(path)
    try:
        found = imported(exported(store))
        for batch in found.batches:
            if batch.rows.table.num_rows:
                other.add(batch.rows).result(10)
        return rows(other)
    finally:
        other.close()


def test_an_export_is_otlp_json(store: Store) -> None:
    """Ids are hex, times and 64-bit integers text, enums numbers, types kept, scopes grouped."""
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


def test_an_export_is_what_protobuf_itself_reads(store: Store) -> None:
    """The official JSON mapping, with ids put back into base64, finds the spans that were sent."""
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


def test_an_export_is_in_the_form_that_jaeger_reads(running: Running) -> None:
    """Jaeger's page takes one JSON document with `resourceSpans`, or one a line, and its reader
    (`ptrace.JSONUnmarshaler`) refuses all of it for one id that isn't one, enum that is no number
    or number that is none; other members it skips."""
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
    found = list(members(json.loads(text)))
    for name, fits in FORMS.items():
        values = [value for key, value in found if key == name]
        assert values, name
        assert [value for value in values if not fits(value)] == [], name


def is_integer(value: Any) -> bool:
    return isinstance(value, str) and -(2**63) <= int(value) < 2**64


def is_hex(digits: int) -> Callable[[Any], bool]:
    return lambda value: re.fullmatch(f"[0-9a-f]{{{digits}}}", value) is not None


# What has to be said in a form of its own, and whether it is.
FORMS: dict[str, Callable[[Any], bool]] = {
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
    """Every member of every object in a JSON document."""
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
    """Some metrics of every type that is stored as it was sent, of any content."""
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
def requests(
    draw: st.DrawFn,
) -> tuple[ExportTraceServiceRequest, ExportLogsServiceRequest, ExportMetricsServiceRequest]:
    """Some telemetry of any content, in a few traces, resources and scopes."""
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


@given(requests())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_exported_and_imported_is_what_was_there(
    tmp_path: Path,
    sent: tuple[ExportTraceServiceRequest, ExportLogsServiceRequest, ExportMetricsServiceRequest],
) -> None:
    """An import of an export makes the same rows, whatever they hold."""
    name = secrets.token_hex(8)
    store = Store(tmp_path / f"{name}.duckdb")
    try:
        bodies = [request.SerializeToString() for request in sent]
        for batch in (spans_of(bodies[0]), logs_of(bodies[1]), metrics_of(bodies[2])):
            if batch.rows.table.num_rows:
                store.add(batch.rows).result(10)
        assert copied(store, tmp_path / f"{name}-copy.duckdb") == rows(store)
    finally:
        store.close()


def test_two_summaries_that_are_alike_stay_two(store: Store, tmp_path: Path) -> None:
    """Without quantiles nothing tells one from the other, and both are there after an import."""
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for _ in range(2):
        scope.metrics.add(name="wait").summary.data_points.add(time_unix_nano=1)
    store.add(metrics_of(request.SerializeToString()).rows).result(10)
    assert copied(store, tmp_path / "copy.duckdb") == rows(store)


def test_an_export_is_of_a_trace_of_a_selection_or_of_everything(running: Running) -> None:
    """What is asked for leaves, and nothing else; a file has a name and the right type."""
    first, second = purchase("order-1"), purchase("order-2", decline=True)
    running.send(first)
    running.send(second)
    one = running.http.get("/api/export", params={"trace": first.trace_id.hex()})
    assert one.headers["content-type"] == "application/json"
    named = f'filename="trace-{first.trace_id.hex()[:8]}.json"'
    assert named in one.headers["content-disposition"]
    assert traces_in(one.json()) == {first.trace_id.hex()}
    assert len(one.json()["resourceLogs"]) == 3
    chosen = running.http.get("/api/export", params={"q": "state = declined"})
    assert traces_in(chosen.json()) == {second.trace_id.hex()}
    both = running.http.get("/api/export").json()
    assert traces_in(both) == {first.trace_id.hex(), second.trace_id.hex()}
    none = running.http.get("/api/export", params={"q": "state = lost"}).json()
    assert none == {"resourceSpans": []}
    ids = [first.trace_id.hex(), "ab" * 16]
    assert running.http.get("/api/export", params={"trace": ids}).status_code == 404
    assert running.http.get("/api/export", params={"trace": "x"}).status_code == 400


def test_metrics_leave_with_everything_and_come_back(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """Those that OTLP's own parser reads, a summary whole again, an exponential histogram as a
    histogram; a trace or a selection is taken without them."""
    here, there = start(tmp_path / "here.duckdb"), start(tmp_path / "there.duckdb")
    trace = purchase("order-1")
    here.send(trace)
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
    assert here.post("/v1/metrics", sent.SerializeToString()).status_code == 200
    taken = here.http.get("/api/export").json()
    read = ExportMetricsServiceRequest()
    json_format.ParseDict({"resourceMetrics": taken["resourceMetrics"]}, read)
    found = {metric.name: metric for metric in read.resource_metrics[0].scope_metrics[0].metrics}
    assert [found[metric.name] for metric in scope.metrics[:2]] == list(scope.metrics[:2])
    histogram = found["took"].histogram.data_points[0]
    assert (list(histogram.explicit_bounds), list(histogram.bucket_counts)) == ([1, 2], [0, 3, 0])
    brought = there.http.post("/api/import", json=taken)
    assert (brought.status_code, brought.json()["metrics"]) == (200, 4), brought.text
    again = there.http.get("/api/export").json()
    assert again["resourceMetrics"] == taken["resourceMetrics"]
    for query in ({"trace": trace.trace_id.hex()}, {"q": "state = ticketed"}):
        assert "resourceMetrics" not in here.http.get("/api/export", params=query).json()
    bad = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": 3}]}]}]}
    refused = there.http.post("/api/import", json=bad)
    assert refused.status_code == 400
    assert "resourceMetrics[0].scopeMetrics[0].metrics[0]" in refused.json()["error"]["message"]


def traces_in(document: dict[str, Any]) -> set[str]:
    return {
        span["traceId"]
        for group in document["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    }


def test_an_export_can_be_imported_elsewhere(start: Callable[..., Running], tmp_path: Path) -> None:
    """A trace taken away shows the same journey where it is brought, and only once."""
    here, there = start(tmp_path / "here.duckdb"), start(tmp_path / "there.duckdb")
    trace = purchase("order-1")
    here.send(trace)
    taken = here.http.get("/api/export").content
    for _ in range(2):
        brought = there.http.post("/api/import", content=taken, headers=JSON)
        assert brought.status_code == 200, brought.text
        assert brought.json() == {
            "spans": 24,
            "logs": 3,
            "metrics": 0,
            "rejected": 0,
            "reason": "",
            "trace_ids": [trace.trace_id.hex()],
        }
    ours, theirs = (side.client.trace(trace.trace_id.hex()) for side in (here, there))
    assert theirs["rows"][0]["attributes"] == ours["rows"][0]["attributes"]
    assert [row["span_id"] for row in theirs["rows"]] == [row["span_id"] for row in ours["rows"]]
    assert trace_key(trace.trace_id.hex()) < 2**64


def test_a_document_a_line_is_one_file(start: Callable[..., Running], tmp_path: Path) -> None:
    """A file as a collector writes it, a request a line, is stored as a whole."""
    here, there = start(tmp_path / "here.duckdb"), start(tmp_path / "there.duckdb")
    traces = [purchase("order-1"), purchase("order-2")]
    lines = []
    for trace in traces:
        here.send(trace)
        lines.append(here.http.get(f"/api/export?trace={trace.trace_id.hex()}").content.strip())
    brought = there.http.post("/api/import", content=b"\n\n".join(lines) + b"\n", headers=JSON)
    assert brought.status_code == 200, brought.text
    assert brought.json() == {
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


def test_jaegers_json_becomes_a_trace(running: Running) -> None:
    """Kind, status, parent, links, events, resource and scope are found where Jaeger keeps them."""
    brought = running.http.post("/api/import", json=JAEGER)
    assert brought.status_code == 200, brought.text
    trace_id = "abc123".rjust(32, "0")
    assert brought.json()["trace_ids"] == [trace_id]
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
    """The Jaeger document with something else at ``path``."""
    document: dict[str, Any] = json.loads(json.dumps(JAEGER))
    *above, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = document
    for step in above:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"{", "It is not JSON: Expecting property name"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "neither OTLP/JSON"),
        (b'{"resourceSpans": []}\n{', "Line 2 is not JSON: Expecting property name"),
        (b'{"resourceSpans": []}\n\n[]', "Line 3 is not an object"),
        (b'{"resourceSpans": []}\n{"resourceLogs": 1}', "Line 2: resourceLogs is 1: it must be a list"),
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
        (broken("data.0.spans.0.tags.1.value", "x"), "tags[1].value is 'x': it must be a valid int64"),
        (broken("data.0.spans", "none"), "data[0].spans is 'none': it must be a list"),
        (broken("data.0.processes", []), "data[0].processes is []: it must be an object"),
    ],
)
def test_a_bad_file_is_refused_with_what_is_wrong_and_where(
    running: Running, document: bytes | dict[str, Any], said: str
) -> None:
    """Nothing of it is stored, and the message leads to the place."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    answer = running.http.post("/api/import", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_file"
    assert said in answer.json()["error"]["message"]
    assert running.client.health()["spans"] == 0


def test_an_import_is_bounded_and_declared(running: Running) -> None:
    """A file that is too large, or posted as a form, is refused."""
    large = running.http.post("/api/import", content=b" " * (16 * 2**20 + 1), headers=JSON)
    assert large.status_code == 413
    assert "./scripts/trace import" in large.json()["error"]["message"]
    assert running.http.post("/api/import", content=b"{}").status_code == 400
