"""OTLP comes in: both encodings, gzip, and everything that isn't OTLP."""

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
from tests.unit.observatory.conftest import JSON, Running, otlp_json, squeezed
from tests.unit.observatory.telemetry import INTERNAL, Trace, purchase


def one_span() -> Trace:
    trace = Trace()
    trace.span("page", "buy", INTERNAL, 0, 10, throughline__root="page")
    return trace


def post_json(running: Running, path: str, document: Any) -> Any:
    return running.http.post(path, content=json.dumps(document), headers=JSON)


def test_protobuf_is_stored_and_answered_in_protobuf(running: Running) -> None:
    """A protobuf export is answered 200 with an empty response message and can then be read."""
    trace = purchase("order-1")
    answer = running.post("/v1/traces", trace.request().SerializeToString())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
    assert running.client.trace(trace.trace_id.hex())["spans"] == len(trace.spans)


def test_json_means_what_protobuf_means(running: Running) -> None:
    """The same trace sent as JSON, ids in hexadecimal, gives the same journey."""
    trace = purchase("order-1")
    answer = post_json(running, "/v1/traces", otlp_json(trace.request()))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
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


def test_json_takes_numbers_as_text_and_unknown_fields(running: Running) -> None:
    """64-bit integers may be text or numbers, and a field from a later version is ignored."""
    document = otlp_json(one_span().request())
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["startTimeUnixNano"] = int(span["startTimeUnixNano"])
    span["fieldOfTheFuture"] = {"a": 1}
    assert post_json(running, "/v1/traces", document).status_code == 200
    assert running.client.trace(span["traceId"])["duration_ms"] == 10


@pytest.mark.parametrize("encode", [squeezed, lambda body: squeezed(body[:9]) + squeezed(body[9:])])
def test_gzip_is_unpacked(running: Running, encode: Callable[[bytes], bytes]) -> None:
    """A gzip body, also one of several members, is stored as if it came plain."""
    trace = one_span()
    body = encode(trace.request().SerializeToString())
    assert running.post("/v1/traces", body, content_encoding="gzip").status_code == 200
    assert running.client.trace(trace.trace_id.hex())["spans"] == 1


def test_logs_appear_beside_their_span(running: Running) -> None:
    """A log record with a span's ids is part of that span's row; one without any is kept too."""
    trace = one_span()
    trace.log("page", trace.spans[0][1], 4, "WARN", "slow")
    assert running.post("/v1/traces", trace.request().SerializeToString()).status_code == 200
    request = trace.logs_request()
    request.resource_logs[0].scope_logs[0].log_records.add().body.string_value = "nobody's"
    answer = running.post("/v1/logs", request.SerializeToString())
    assert not ExportLogsServiceResponse.FromString(answer.content).HasField("partial_success")
    (line,) = running.client.trace(trace.trace_id.hex())["rows"][0]["logs"]
    assert (line["body"], line["severity_text"], line["offset_ms"]) == ("slow", "WARN", 4)
    assert running.client.health()["logs"] == 2


TRUNCATED = purchase("order-1").request().SerializeToString()[:-7]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"hello, this is not OTLP", {}, 400, id="text"),
        pytest.param(b'{"resourceSpans": []}', {}, 400, id="JSON that says it is protobuf"),
        pytest.param(TRUNCATED, {}, 400, id="truncated protobuf"),
        pytest.param(gzip.compress(TRUNCATED)[:40], {"content_encoding": "gzip"}, 400, id="cut"),
        pytest.param(b"not gzip at all", {"content_encoding": "gzip"}, 400, id="not gzip"),
        pytest.param(b"\x0a\x02\xff\xff", {}, 400, id="a message inside is corrupt"),
        pytest.param(b"x", {"content_encoding": "br"}, 415, id="brotli"),
        pytest.param(b"\0" * (BODY_LIMIT_BYTES + 1), {}, 413, id="too large"),
        pytest.param(
            squeezed(b"\0" * (4 * BODY_LIMIT_BYTES)),
            {"content_encoding": "gzip"},
            413,
            id="gzip bomb",
        ),
    ],
)
def test_bad_protobuf_is_refused_with_a_status(
    running: Running, body: bytes, headers: dict[str, str], status: int
) -> None:
    """What can't be read is answered with google.rpc.Status in protobuf, and nothing is stored."""
    answer = running.post("/v1/traces", body, **headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/x-protobuf"
    said = Status.FromString(answer.content)
    assert said.code > 0
    assert len(said.message) > 20
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
    """A JSON body that isn't OTLP is answered 400 with the Status in JSON."""
    answer = running.http.post("/v1/traces", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["code"] == 3
    assert "OTLP" in answer.json()["message"]


def test_another_content_type_is_refused_by_name(running: Running) -> None:
    """A body of another type gets 415, and the message names the types that are taken."""
    answer = running.post("/v1/traces", b"a=1", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415
    assert "application/x-protobuf" in answer.json()["message"]


def test_spans_with_wrong_ids_are_counted_and_the_rest_is_stored(running: Running) -> None:
    """Zero and wrong-length ids are rejected in partial_success; their neighbours are kept."""
    trace = Trace()
    for _ in range(6):
        trace.span("page", "buy", INTERNAL, 0, 1)
    bad = [span for _, span in trace.spans[:5]]
    bad[0].trace_id = bytes(16)
    bad[1].trace_id = b"short"
    bad[2].span_id = bytes(8)
    bad[3].span_id = b"longer than eight"
    bad[4].parent_span_id = b"abc"
    answer = running.post("/v1/traces", trace.request().SerializeToString())
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 5
    assert "5 spans rejected" in partial.error_message
    assert running.client.trace(trace.trace_id.hex())["spans"] == 1


def test_links_to_nowhere_are_left_out_and_their_spans_are_kept(running: Running) -> None:
    """With a word about it, as OTLP has it for a warning: nothing was rejected."""
    trace = one_span()
    span = trace.spans[0][1]
    good = (trace.trace_id, b"12345678")
    for trace_id, span_id in (good, (bytes(16), good[1]), (b"short", good[1]), (good[0], b"")):
        span.links.add(trace_id=trace_id, span_id=span_id)
    answer = running.post("/v1/traces", trace.request().SerializeToString())
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 0
    assert partial.error_message.startswith("3 links rejected")
    (row,) = running.client.trace(trace.trace_id.hex())["rows"]
    assert [(link["trace_id"], link["span_id"]) for link in row["links"]] == [
        (good[0].hex(), good[1].hex())
    ]


def test_json_ids_that_are_not_hexadecimal_are_rejected(running: Running) -> None:
    """Base64, which protobuf's own JSON would use for ids, is not taken for an id; a parent that
    isn't one doesn't silently become none."""
    trace = one_span()
    trace.span("page", "child", INTERNAL, 0, 1, trace.spans[0][1])
    document = otlp_json(trace.request())
    first, second = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    first["traceId"] = base64.b64encode(trace.trace_id).decode()
    second["parentSpanId"] = "not-a-span-id"
    partial = post_json(running, "/v1/traces", document).json()["partialSuccess"]
    assert int(partial["rejectedSpans"]) == 2


def test_a_duplicate_is_shown_once(running: Running) -> None:
    """A batch that is sent again, as OTLP senders do, doesn't double its spans."""
    trace = purchase("order-1")
    running.send(trace)
    running.send(trace, "page")
    journey = running.client.trace(trace.trace_id.hex())
    assert journey["spans"] == len(trace.spans)
    assert running.client.coverage()["spans"] == len(trace.spans)
    assert running.client.traces()["traces"][0]["spans"] == len(trace.spans)


def test_an_empty_export_is_fine(running: Running) -> None:
    """A request without spans is answered 200."""
    assert running.post("/v1/traces", b"").status_code == 200


def test_overload_is_answered_503_with_retry_after(start: Callable[..., Running]) -> None:
    """When more is on its way than fits, senders are told to come back, and may."""
    running = start(budget_bytes=2_000)
    body = purchase("order-1").request().SerializeToString()
    answer = running.post("/v1/traces", body)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert Status.FromString(answer.content).code == 14
    assert running.client.health()["pending_bytes"] == 0
    assert running.post("/v1/traces", one_span().request().SerializeToString()).status_code == 200


def test_many_senders_lose_nothing(running: Running) -> None:
    """Spans that eight senders were told are stored are all there, each once."""
    sent: list[int] = []

    def sender() -> None:
        for _ in range(10):
            trace = Trace()
            for number in range(50):
                trace.span("page", f"span {number}", INTERNAL, 0, 1)
            answer = running.post("/v1/traces", trace.request().SerializeToString())
            if answer.status_code == 200:
                sent.append(len(trace.spans))

    threads = [threading.Thread(target=sender) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent) == running.client.health()["spans"] == 8 * 10 * 50


def test_one_bad_request_does_not_take_those_read_with_it(running: Running) -> None:
    """Requests that wait together are read as one, and each sender is told of its own alone."""
    half, whole = Trace(), purchase("order-1")
    half.span("page", "good", INTERNAL, 0, 1)
    half.span("page", "bad", INTERNAL, 0, 1).span_id = bytes(8)
    going, waiting = threading.Event(), threading.Event()

    def slow(*bodies: bytes) -> Batch:
        going.set()
        waiting.wait(10)
        return spans_of(*bodies)

    # A first request keeps the intake's thread busy, so that the others wait together.
    intake = Intake(running.store)
    intake.add(slow, one_span().request().SerializeToString())
    assert going.wait(10)
    bodies = [TRUNCATED, *(t.request().SerializeToString() for t in (half, whole))]
    refused, partial, stored = [intake.add(spans_of, body) for body in bodies]
    waiting.set()
    assert isinstance(refused.exception(10), DecodeError)
    assert partial.result(10).rejected == 1
    assert stored.result(10).rejected == 0
    intake.close()
    assert running.client.trace(half.trace_id.hex())["spans"] == 1
    assert running.client.trace(whole.trace_id.hex())["spans"] == len(whole.spans)


def test_every_type_of_attribute_is_kept_as_json(running: Running) -> None:
    """Nested lists and maps stay so; bytes, huge integers and NaN, which JSON lacks, are text."""
    trace = Trace()
    trace.span(
        "page", "buy", INTERNAL, 0, 1,
        text="<img src=x onerror=alert(1)>", yes=True, number=7, huge=2**62, half=0.5,
        nan=float("nan"), raw=b"\0\xff", nothing=None,
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
        "nothing": None,
        "nested": {"list": [1, "two", {"three": [None]}], "raw": "base64:AQ=="},
    }


@pytest.mark.parametrize(
    ("begin", "end"), [(0, 0), (2**64 - 1, 2**64 - 1), (10**18, 5), (4_102_444_800 * 10**9, 2**63)]
)
def test_impossible_times_are_stored_and_shown(running: Running, begin: int, end: int) -> None:
    """A span of 1970, of the far future, or that ends before it begins, does no harm."""
    trace = one_span()
    trace.spans[0][1].start_time_unix_nano = begin
    trace.spans[0][1].end_time_unix_nano = end
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    assert journey["rows"][0]["duration_ms"] >= 0
    assert running.client.traces()["traces"][0]["duration_ms"] >= 0


def test_ten_thousand_attributes_are_kept(running: Running) -> None:
    """A span may carry as many attributes as fit into a body."""
    trace = Trace()
    attributes: dict[str, Any] = {f"key{n}": n for n in range(10_000)}
    trace.span("page", "buy", INTERNAL, 0, 1, **attributes)
    running.send(trace)
    assert len(running.client.trace(trace.trace_id.hex())["rows"][0]["attributes"]) == 10_000


def test_only_post_is_taken(running: Running) -> None:
    """A GET to an OTLP endpoint is answered 405."""
    assert running.http.get("/v1/traces").status_code == 405


def test_a_parsed_request_is_the_message_that_was_sent() -> None:
    """The generator's request survives protobuf, so the other tests stand on something."""
    request = purchase("order-1").request()
    assert ExportTraceServiceRequest.FromString(request.SerializeToString()) == request


def test_a_gzip_bomb_is_not_unpacked() -> None:
    """Unpacking stops at the limit: what it costs depends on the limit, not on the bomb."""
    bomb = squeezed(b"\0" * 50_000_000)
    told: list[int] = []
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as refused:
            inflate(bomb, "gzip", 1_000_000, told.append)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.http_status == 413
    assert peak_bytes < 5_000_000
    assert sum(told) == 1_000_001


@pytest.mark.measures
def test_a_gzip_body_of_very_many_members_takes_no_longer_than_it_is_long() -> None:
    """Each is 20 bytes of nothing; what comes after it isn't copied for each."""
    body = gzip.compress(b"") * 200_000
    began = time.thread_time()
    assert inflate(body, "gzip", 1_000_000, lambda _: None) == b""
    # 0.3 s; with a copy of the rest for each member it is 12 s.
    assert time.thread_time() - began < 4
