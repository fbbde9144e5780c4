"""Fuzz tests of the receiver: each request is stored or refused, and stored data can be read."""

import json
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from observatory.import_export.importing import imported
from observatory.import_export.reading import BadFile
from observatory.receive import wire
from observatory.receive.logs import logs_of
from observatory.receive.metrics import metrics_of
from observatory.receive.otlp import SIGNALS
from observatory.receive.spans import spans_of
from observatory.receive.validity import all_logs_valid, all_spans_valid
from observatory.receive.wire import Encoding, Refusal, decode, refusing
from observatory.store import Store
from observatory.store.values import attributes_of
from tests.unit.observatory.conftest import Running, otlp_json
from tests.unit.observatory.telemetry import INTERNAL, Trace, key_values, purchase

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
SCALARS = st.one_of(
    TEXT,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
)
VALUES = st.recursive(
    SCALARS | st.none() | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
SDK_VALUES = SCALARS | st.lists(TEXT, max_size=3) | st.lists(st.booleans(), max_size=3)
TIMES = st.integers(0, 2**64 - 1)


def stored_attributes(store: Store, trace: Trace) -> list[tuple[dict[str, str], str]]:
    """Store a trace and return the stored attributes and type letters of its spans."""
    store.add(trace.rows()).result(10)
    with store.reader() as reader:
        return reader.execute(
            "select map(attribute_keys, attribute_values), attribute_types "
            "from raw_spans join attribute_schemas using (schema_id) where trace_id = ? "
            "order by raw_spans.rowid",
            [trace.trace_id.hex()],
        ).fetchall()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A store shared by all examples."""
    store_ = Store(tmp_path_factory.mktemp("fuzzed") / "spans.duckdb")
    yield store_
    store_.close()


def as_json(value: Any) -> Any:
    """Return what a sent value reads as; values that JSON lacks become strings."""
    import base64

    if isinstance(value, bytes):
        return "base64:" + base64.b64encode(value).decode()
    if isinstance(value, float):
        return value if abs(value) != float("inf") else ("-" if value < 0 else "") + "Infinity"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return str(value)
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_json(item) for item in value]
    return value


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.dictionaries(TEXT, VALUES, max_size=6), min_size=1, max_size=4))
def test_attributes_come_back_as_they_were_sent(store: Store, sent: list[dict[str, Any]]) -> None:
    """Each span keeps its own attributes, whatever the other spans of the request have."""
    trace = Trace()
    for attributes in sent:
        trace.span("page", "buy", INTERNAL, 0, 1)
        trace.spans[-1][1].attributes.extend(key_values(attributes))
    read_attributes = [
        attributes_of(texts, types) for texts, types in stored_attributes(store, trace)
    ]
    assert read_attributes == [as_json(attributes) for attributes in sent]


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=3), st.data())
def test_a_request_that_passes_the_check_is_stored_completely(
    attributes: dict[str, Any], data: st.DataObject
) -> None:
    """Such a request is acknowledged before it is converted to rows, so that must not fail."""
    trace = Trace()
    parent = trace.span("page", "buy", INTERNAL, 0, 1)
    span = trace.span("page", "pay", INTERNAL, 0, 1, parent, "declined", links=[parent])
    span.attributes.extend(key_values(attributes))
    trace.log("page", span, 0, "INFO", "paying")
    is_valid, rows_of, sent = data.draw(
        st.sampled_from(
            [
                (all_spans_valid, spans_of, trace.request().SerializeToString()),
                (all_logs_valid, logs_of, trace.logs_request().SerializeToString()),
            ]
        )
    )
    body = bytearray(sent)
    assert is_valid(bytes(body))
    for index in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=3)):
        body[index] = data.draw(st.integers(0, 255))
    if is_valid(bytes(body)):
        assert rows_of(bytes(body)).reason == ""


@given(st.dictionaries(TEXT, VALUES, max_size=3), st.data())
def test_columns_match_protobufs_own_parser(
    attributes: dict[str, Any], data: st.DataObject
) -> None:
    """This includes corrupted requests, as far as both can parse them."""
    trace = Trace()
    trace.span("page", "buy", INTERNAL, 0, 1).trace_state = "a=b"
    trace.spans[-1][1].attributes.extend(key_values(attributes))
    body = bytearray(trace.request().SerializeToString())
    for index in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=3)):
        body[index] = data.draw(st.integers(0, 255))
    try:
        request = ExportTraceServiceRequest.FromString(bytes(body))
        batch = spans_of(bytes(body))
    except DecodeError:
        return
    expected = [
        (scope.scope.name, span.name, span.trace_state)
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
    columns = zip(
        *(batch.rows.table[name].to_pylist() for name in ("scope_name", "name", "trace_state")),
        strict=True,
    )
    if not batch.rejected:
        assert list(columns) == expected


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(TEXT, st.dictionaries(TEXT.filter(bool), SDK_VALUES, max_size=4), TIMES, TIMES),
        min_size=1,
        max_size=5,
    )
)
def test_requests_of_the_sdks_encoder_are_stored(
    store: Store, spans: list[tuple[str, dict[str, Any], int, int]]
) -> None:
    """The encoder is given arbitrary text, values and times."""
    ids = random.Random(0)  # noqa: S311
    sdk_spans = [
        ReadableSpan(
            name=name,
            context=SpanContext(
                ids.getrandbits(127) + 1, ids.getrandbits(63) + 1, False, TraceFlags(1)
            ),
            kind=SpanKind.SERVER,
            attributes=attributes,
            resource=Resource(attributes),
            instrumentation_scope=InstrumentationScope("fuzzed"),
            start_time=begin,
            end_time=end,
        )
        for name, attributes, begin, end in spans
    ]
    batch = spans_of(encode_spans(sdk_spans).SerializeToString())
    assert batch.rejected == 0
    store.add(batch.rows).result(10)
    rows = batch.rows.table.to_pylist()
    # The encoder groups spans by resource, so their order may change.
    assert sorted(row["name"] for row in rows) == sorted(name for name, *_ in spans)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_corrupted_request_is_decoded_or_raises_a_decode_error(data: st.DataObject) -> None:
    """Bytes are changed, removed or inserted."""
    body = bytearray(purchase("order-1").request("page").SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(body) - 1))
        end = index + data.draw(st.integers(0, 3))
        body[index:end] = data.draw(st.binary(max_size=3))
    for rows_of in (spans_of, logs_of, metrics_of):
        try:
            batch = rows_of(bytes(body))
        except DecodeError:
            continue
        assert batch.rows.table.num_rows >= 0


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


def positions(value: Any) -> list[tuple[Any, Any]]:
    """Return each object and list of a JSON document with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    result: list[tuple[Any, Any]] = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            result += positions(value[key])
    return result


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_corrupted_json_is_stored_or_refused(store: Store, data: st.DataObject) -> None:
    """Any value may be replaced by any other, in received and in imported documents."""
    trace = Trace()
    top = trace.span("page", "buy", INTERNAL, 0, 1, text="x", list=[1, {"a": b"b"}], half=0.5)
    trace.span("page", "pay", INTERNAL, 0, 1, top, links=[top], error="no").events.add(name="e")
    trace.log("page", top, 0, "INFO", "line")
    gauge = ExportMetricsServiceRequest()
    metric = gauge.resource_metrics.add().scope_metrics.add().metrics.add(name="rows")
    metric.gauge.data_points.add(time_unix_nano=1, as_double=2)
    document = {
        **otlp_json(trace.request()),
        **otlp_json(trace.logs_request()),
        **otlp_json(gauge),
    }
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(positions(document)))
        container[key] = data.draw(ANY_JSON)
    body = json.dumps(document).encode()
    for signal in SIGNALS:
        with suppress(Refusal):
            with refusing(signal.request, Encoding.JSON):
                batch = signal.read(decode(signal.request, body, Encoding.JSON).body)
            store.add(batch.rows).result(10)
    with suppress(BadFile):
        imported(body)


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_random_bytes_are_decoded_or_raise_a_decode_error(body: bytes) -> None:
    for rows_of in (spans_of, logs_of, metrics_of):
        try:
            rows_of(body)
        except DecodeError:
            continue


@pytest.mark.parametrize("where", ["name", "key", "value", "long value", "resource"])
def test_invalid_utf_8_is_repaired_in_any_string(running: Running, where: str) -> None:
    """The span is stored, and the response warns about the repaired string."""
    mark = "MARKMARK"
    trace = Trace()
    span = trace.span("page", mark if where == "name" else "buy", INTERNAL, 0, 1)
    value = mark * 40 if where == "long value" else mark if where == "value" else "v"
    span.attributes.extend(key_values({mark if where == "key" else "k": value}))
    request = trace.request()
    if where == "resource":
        request.resource_spans[0].resource.attributes.extend(key_values({"a": mark}))
    body = request.SerializeToString().replace(mark.encode(), b"MARK\xff\xfeMA"[:8])
    assert b"\xff\xfe" in body
    response = running.post("/v1/traces", body)
    assert response.status_code == 200
    partial = wire.ExportTraceServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_spans == 0
    assert partial.error_message.startswith("1 string repaired: ")
    assert running.client.health()["spans"] == 1


def test_the_last_value_of_a_duplicate_key_wins(running: Running) -> None:
    """OTLP forbids duplicate keys, but such a span is stored, and so are its neighbours."""
    trace = Trace()
    first = trace.span("page", "buy", INTERNAL, 0, 1)
    second = trace.span("page", "pay", INTERNAL, 0, 1)
    for number in range(3):
        first.attributes.extend(key_values({"twice": number, "throughline.root": f"page{number}"}))
    second.attributes.extend(key_values({"twice": 1, "once": "x"}))
    running.send(trace)
    rows = {row["name"]: row for row in running.client.trace(trace.trace_id.hex())["rows"]}
    assert rows["buy"]["attributes"] == {"twice": 2, "throughline.root": "page2"}
    assert rows["buy"]["root"] == "page2"
    assert rows["pay"]["attributes"] == {"twice": 1, "once": "x"}


def test_spans_with_a_missing_parent_are_orphans(running: Running) -> None:
    trace = Trace()
    trace.span("charge", "charge", INTERNAL, 0, 1, parent=b"gone-999")
    request = ExportTraceServiceRequest.FromString(trace.request().SerializeToString())
    assert running.post("/v1/traces", request.SerializeToString()).status_code == 200
    assert running.client.trace(trace.trace_id.hex())["orphans"] == 1
