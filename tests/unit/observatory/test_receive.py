"""The OTLP endpoints: both encodings, gzip, and requests that are not OTLP."""

import base64
import gzip
import json
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import DecodeError

from observatory.receive.batch import Batch
from observatory.receive.intake import Intake
from observatory.receive.otlp import BODY_LIMIT_BYTES
from observatory.receive.spans import spans_of
from observatory.receive.wire import (
    ExportLogsServiceResponse,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
    Refusal,
    Status,
    inflate,
)
from tests.unit.observatory.conftest import JSON, Running, gzipped, otlp_json
from tests.unit.observatory.telemetry import INTERNAL, Trace, purchase


def one_span() -> Trace:
    trace = Trace()
    trace.span("page", "buy", INTERNAL, 0, 10, throughline__root="page")
    return trace


def post_json(running: Running, path: str, document: Any) -> Any:
    return running.http.post(path, content=json.dumps(document), headers=JSON)


def test_protobuf_is_stored_and_gets_a_protobuf_response(running: Running) -> None:
    """A protobuf export gets a 200 with an empty response message, and its spans can be read."""
    trace = purchase("order-1")
    response = running.post("/v1/traces", trace.request().SerializeToString())
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-protobuf"
    assert not ExportTraceServiceResponse.FromString(response.content).HasField("partial_success")
    assert running.client.trace(trace.trace_id.hex())["spans"] == len(trace.spans)


def test_json_and_protobuf_give_the_same_trace(running: Running) -> None:
    """A trace sent as JSON, with hexadecimal ids, reads the same as one sent as protobuf."""
    trace = purchase("order-1")
    response = post_json(running, "/v1/traces", otlp_json(trace.request()))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    by_json = running.client.trace(trace.trace_id.hex())

    trace.trace_id = bytes(reversed(trace.trace_id))
    for _, span in trace.spans:
        span.trace_id = trace.trace_id
        for link in span.links:
            link.trace_id = trace.trace_id
    running.send(trace)
    by_protobuf = running.client.trace(trace.trace_id.hex())
    ignored = {"trace_id", "last_received_ms_ago", "rows", "logs"}
    assert {k: v for k, v in by_json.items() if k not in ignored} == {
        k: v for k, v in by_protobuf.items() if k not in ignored
    }
    assert [row["attributes"] for row in by_json["rows"]] == [
        row["attributes"] for row in by_protobuf["rows"]
    ]


def test_json_accepts_numeric_strings_and_unknown_fields(running: Running) -> None:
    """64-bit integers may be strings or numbers, and a field of a later version is ignored."""
    document = otlp_json(one_span().request())
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["startTimeUnixNano"] = int(span["startTimeUnixNano"])
    span["fieldOfALaterVersion"] = {"a": 1}
    assert post_json(running, "/v1/traces", document).status_code == 200
    assert running.client.trace(span["traceId"])["duration_ms"] == 10


@pytest.mark.parametrize("encode", [gzipped, lambda body: gzipped(body[:9]) + gzipped(body[9:])])
def test_gzip_bodies_are_decompressed(running: Running, encode: Callable[[bytes], bytes]) -> None:
    """A gzip body, with one or several members, is stored like an uncompressed one."""
    trace = one_span()
    body = encode(trace.request().SerializeToString())
    assert running.post("/v1/traces", body, content_encoding="gzip").status_code == 200
    assert running.client.trace(trace.trace_id.hex())["spans"] == 1


def test_logs_appear_in_the_row_of_their_span(running: Running) -> None:
    """A log record with a span's ids appears in that span's row; one without ids is stored too."""
    trace = one_span()
    trace.log("page", trace.spans[0][1], 4, "WARN", "slow")
    assert running.post("/v1/traces", trace.request().SerializeToString()).status_code == 200
    request = trace.logs_request()
    request.resource_logs[0].scope_logs[0].log_records.add().body.string_value = "without a trace"
    response = running.post("/v1/logs", request.SerializeToString())
    assert not ExportLogsServiceResponse.FromString(response.content).HasField("partial_success")
    (line,) = running.client.trace(trace.trace_id.hex())["rows"][0]["logs"]
    assert (line["body"], line["severity_text"], line["offset_ms"]) == ("slow", "WARN", 4)
    assert running.client.health()["logs"] == 2


TRUNCATED = purchase("order-1").request().SerializeToString()[:-7]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"hello, this is not OTLP", {}, 400, id="text"),
        pytest.param(b'{"resourceSpans": []}', {}, 400, id="JSON with protobuf's content type"),
        pytest.param(TRUNCATED, {}, 400, id="truncated protobuf"),
        pytest.param(gzip.compress(TRUNCATED)[:40], {"content_encoding": "gzip"}, 400, id="cut"),
        pytest.param(b"not gzip at all", {"content_encoding": "gzip"}, 400, id="not gzip"),
        pytest.param(b"\x0a\x02\xff\xff", {}, 400, id="corrupt embedded message"),
        pytest.param(b"x", {"content_encoding": "br"}, 415, id="brotli"),
        pytest.param(b"\0" * (BODY_LIMIT_BYTES + 1), {}, 413, id="too large"),
        pytest.param(
            gzipped(b"\0" * (4 * BODY_LIMIT_BYTES)),
            {"content_encoding": "gzip"},
            413,
            id="gzip bomb",
        ),
    ],
)
def test_bad_protobuf_is_refused_with_a_status(
    running: Running, body: bytes, headers: dict[str, str], status: int
) -> None:
    """An unreadable body gets a google.rpc.Status in protobuf, and nothing is stored."""
    response = running.post("/v1/traces", body, **headers)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/x-protobuf"
    status_message = Status.FromString(response.content)
    assert status_message.code > 0
    assert len(status_message.message) > 20
    assert running.client.health()["spans"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"resourceSpans": 7}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": {}}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        b"[" * 100_000,
    ],
)
def test_bad_json_is_refused_with_a_status_in_json(running: Running, body: bytes) -> None:
    """A JSON body that is not OTLP gets a 400 with the Status in JSON."""
    response = running.http.post("/v1/traces", content=body, headers=JSON)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.json()["code"] == 3
    assert "OTLP" in response.json()["message"]


def test_another_content_type_gets_a_415(running: Running) -> None:
    """The message names the accepted content types."""
    response = running.post("/v1/traces", b"a=1", content_type="application/x-www-form-urlencoded")
    assert response.status_code == 415
    assert "application/x-protobuf" in response.json()["message"]


def test_spans_with_invalid_ids_are_rejected_and_the_others_stored(running: Running) -> None:
    """Ids of zeros or of the wrong length are counted in partial_success."""
    trace = Trace()
    for _ in range(6):
        trace.span("page", "buy", INTERNAL, 0, 1)
    bad = [span for _, span in trace.spans[:5]]
    bad[0].trace_id = bytes(16)
    bad[1].trace_id = b"short"
    bad[2].span_id = bytes(8)
    bad[3].span_id = b"longer than eight"
    bad[4].parent_span_id = b"abc"
    response = running.post("/v1/traces", trace.request().SerializeToString())
    assert response.status_code == 200
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_spans == 5
    assert "5 spans rejected" in partial.error_message
    assert running.client.trace(trace.trace_id.hex())["spans"] == 1


def test_links_with_invalid_ids_are_dropped_and_their_spans_stored(running: Running) -> None:
    """The response carries a warning, but no span counts as rejected."""
    trace = one_span()
    span = trace.spans[0][1]
    good = (trace.trace_id, b"12345678")
    for trace_id, span_id in (good, (bytes(16), good[1]), (b"short", good[1]), (good[0], b"")):
        span.links.add(trace_id=trace_id, span_id=span_id)
    response = running.post("/v1/traces", trace.request().SerializeToString())
    assert response.status_code == 200
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_spans == 0
    assert partial.error_message.startswith("3 links rejected")
    (row,) = running.client.trace(trace.trace_id.hex())["rows"]
    assert [(link["trace_id"], link["span_id"]) for link in row["links"]] == [
        (good[0].hex(), good[1].hex())
    ]


def test_json_ids_that_are_not_hexadecimal_are_rejected(running: Running) -> None:
    """Base64, which protobuf's own JSON uses for ids, is not accepted as an id.

    An invalid parent id does not silently become no parent.
    """
    trace = one_span()
    trace.span("page", "child", INTERNAL, 0, 1, trace.spans[0][1])
    document = otlp_json(trace.request())
    first, second = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    first["traceId"] = base64.b64encode(trace.trace_id).decode()
    second["parentSpanId"] = "not-a-span-id"
    partial = post_json(running, "/v1/traces", document).json()["partialSuccess"]
    assert int(partial["rejectedSpans"]) == 2


def test_a_duplicate_span_is_shown_once(running: Running) -> None:
    """A batch that an exporter resends does not double its spans."""
    trace = purchase("order-1")
    running.send(trace)
    running.send(trace, "page")
    journey = running.client.trace(trace.trace_id.hex())
    assert journey["spans"] == len(trace.spans)
    assert running.client.coverage()["spans"] == len(trace.spans)
    assert running.client.traces()["traces"][0]["spans"] == len(trace.spans)


def test_an_empty_export_gets_a_200(running: Running) -> None:
    assert running.post("/v1/traces", b"").status_code == 200


def test_overload_gets_a_503_with_retry_after(start: Callable[..., Running]) -> None:
    """A request beyond the memory budget is refused; a smaller one after it is stored."""
    running = start(budget_bytes=2_000)
    body = purchase("order-1").request().SerializeToString()
    response = running.post("/v1/traces", body)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert Status.FromString(response.content).code == 14
    assert running.client.health()["pending_bytes"] == 0
    assert running.post("/v1/traces", one_span().request().SerializeToString()).status_code == 200


def test_concurrent_senders_lose_nothing(running: Running) -> None:
    """All spans of eight concurrent senders are stored exactly once."""
    sent: list[int] = []

    def sender() -> None:
        for _ in range(10):
            trace = Trace()
            for number in range(50):
                trace.span("page", f"span {number}", INTERNAL, 0, 1)
            response = running.post("/v1/traces", trace.request().SerializeToString())
            if response.status_code == 200:
                sent.append(len(trace.spans))

    threads = [threading.Thread(target=sender) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent) == running.client.health()["spans"] == 8 * 10 * 50


def test_a_bad_request_does_not_affect_others_in_its_batch(running: Running) -> None:
    """Requests that are queued together are decoded as a batch, but each gets its own result."""
    partly_valid, valid = Trace(), purchase("order-1")
    partly_valid.span("page", "good", INTERNAL, 0, 1)
    partly_valid.span("page", "bad", INTERNAL, 0, 1).span_id = bytes(8)
    decoding, may_finish = threading.Event(), threading.Event()

    def slow_reader(*bodies: bytes) -> Batch:
        decoding.set()
        may_finish.wait(10)
        return spans_of(*bodies)

    # The first request keeps the intake's thread busy, so that the others are queued together.
    intake = Intake(running.store)
    intake.add(slow_reader, one_span().request().SerializeToString())
    assert decoding.wait(10)
    bodies = [TRUNCATED, *(t.request().SerializeToString() for t in (partly_valid, valid))]
    failed, partial, stored = [intake.add(spans_of, body) for body in bodies]
    may_finish.set()
    assert isinstance(failed.exception(10), DecodeError)
    assert partial.result(10).rejected == 1
    assert stored.result(10).rejected == 0
    intake.close()
    assert running.client.trace(partly_valid.trace_id.hex())["spans"] == 1
    assert running.client.trace(valid.trace_id.hex())["spans"] == len(valid.spans)


def test_every_type_of_attribute_is_returned_as_json(running: Running) -> None:
    """Lists and maps stay nested; values that JSON lacks, such as NaN, become strings."""
    trace = Trace()
    trace.span(
        "page", "buy", INTERNAL, 0, 1,
        text="<img src=x onerror=alert(1)>", yes=True, number=7, huge=2**62, half=0.5,
        nan=float("nan"), raw=b"\0\xff", empty=None,
        nested={"list": [1, "two", {"three": [None]}], "raw": b"\1"},
    )  # fmt: skip
    running.send(trace)
    (row,) = running.client.trace(trace.trace_id.hex())["rows"]
    assert row["attributes"] == {
        "text": "<img src=x onerror=alert(1)>",
        "yes": True,
        "number": 7,
        "huge": str(2**62),
        "half": 0.5,
        "nan": "NaN",
        "raw": "base64:AP8=",
        "empty": None,
        "nested": {"list": [1, "two", {"three": [None]}], "raw": "base64:AQ=="},
    }


@pytest.mark.parametrize(
    ("begin", "end"), [(0, 0), (2**64 - 1, 2**64 - 1), (10**18, 5), (4_102_444_800 * 10**9, 2**63)]
)
def test_spans_with_impossible_times_are_stored(running: Running, begin: int, end: int) -> None:
    """A span may lie in 1970 or the far future, or end before it starts."""
    trace = one_span()
    trace.spans[0][1].start_time_unix_nano = begin
    trace.spans[0][1].end_time_unix_nano = end
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    assert journey["rows"][0]["duration_ms"] >= 0
    assert running.client.traces()["traces"][0]["duration_ms"] >= 0


def test_a_span_may_have_ten_thousand_attributes(running: Running) -> None:
    trace = Trace()
    attributes: dict[str, Any] = {f"key{n}": n for n in range(10_000)}
    trace.span("page", "buy", INTERNAL, 0, 1, **attributes)
    running.send(trace)
    assert len(running.client.trace(trace.trace_id.hex())["rows"][0]["attributes"]) == 10_000


def test_get_on_an_otlp_endpoint_gets_a_405(running: Running) -> None:
    assert running.http.get("/v1/traces").status_code == 405


def test_the_generated_request_survives_serialization() -> None:
    """Guards the other tests: the generated request is valid protobuf."""
    request = purchase("order-1").request()
    assert ExportTraceServiceRequest.FromString(request.SerializeToString()) == request


def test_decompressing_a_gzip_bomb_stops_at_the_limit() -> None:
    """The memory used depends on the limit, not on the size of the bomb."""
    bomb = gzipped(b"\0" * 50_000_000)
    chunk_sizes: list[int] = []
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as refusal:
            inflate(bomb, "gzip", 1_000_000, chunk_sizes.append)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refusal.value.http_status == 413
    assert peak_bytes < 5_000_000
    assert sum(chunk_sizes) == 1_000_001


@pytest.mark.measures
def test_decompressing_many_gzip_members_takes_linear_time() -> None:
    """Each member is 20 bytes and empty; the remaining input is not copied for each."""
    body = gzip.compress(b"") * 200_000
    started = time.thread_time()
    assert inflate(body, "gzip", 1_000_000, lambda _: None) == b""
    # Takes 0.3 s; copying the remaining input for each member takes 12 s.
    assert time.thread_time() - started < 4
