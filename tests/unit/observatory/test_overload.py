"""Overload: memory stays bounded, and senders get a 503 and retry successfully."""

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from observatory.app import BUDGET_BYTES
from observatory.receive import budget as budget_module
from observatory.receive import intake as intake_module
from observatory.receive.batch import Batch
from observatory.receive.budget import Budget, Overloaded
from observatory.receive.intake import Intake
from observatory.receive.spans import spans_of
from observatory.receive.wire import Status
from observatory.store import Store
from tests.unit.local_server import eventually
from tests.unit.observatory.conftest import JSON, PROTOBUF, Running, gzipped
from tests.unit.observatory.process import observatory_process, peak_bytes
from tests.unit.observatory.telemetry import INTERNAL, Trace, purchase

MB = 10**6
# Requests in flight as decoded rows, which take several times their size, plus DuckDB's memory
# limit (`store/opening.py`). Measured: 0.35 to 0.6 GB; without limits 1.7 to 3 GB.
GROWTH_LIMIT_BYTES = 6 * BUDGET_BYTES + 320 * MB


def test_the_sdks_exporter_retries_after_a_503(start: Callable[..., Running]) -> None:
    """OpenTelemetry's own exporter resends the request after Retry-After, and nothing is lost."""
    running = start(budget_bytes=MB)
    budget_taken = ExitStack()  # uses up the budget until the first 503
    budget_taken.enter_context(running.context.budget.share()).take(MB)
    statuses: list[int] = []

    def on_response(response: requests.Response, *_: Any, **__: Any) -> None:
        statuses.append(response.status_code)
        if response.status_code == 503:
            budget_taken.close()

    session = requests.Session()
    session.trust_env = False
    session.hooks["response"].append(on_response)
    results: list[SpanExportResult] = []

    class RecordingExporter(OTLPSpanExporter):
        def export(self, *spans: Any, **options: Any) -> SpanExportResult:
            results.append(super().export(*spans, **options))
            return results[-1]

    exporter = RecordingExporter(f"{running.url}/v1/traces", session=session, timeout=30)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("test").start_span("buy").end()
    provider.shutdown()
    assert statuses == [503, 200]
    assert results == [SpanExportResult.SUCCESS]
    assert running.client.health()["spans"] == 1


def bulk(bytes_: int) -> Trace:
    """Return a trace of about ``bytes_`` bytes in protobuf."""
    trace = Trace()
    for number in range(bytes_ // 300):
        trace.span("page", f"step {number % 50}", INTERNAL, 0, 1, text=f"{number:06}" * 32)
    return trace


@pytest.mark.measures
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports another process's peak")
def test_memory_stays_bounded_under_overload(tmp_path: Path) -> None:
    """Memory stays within its limits while 32 senders send requests of 14 MB, gzipped and plain.

    The server still answers health checks, refuses some requests and stores all it acknowledged.
    """
    data = tmp_path / "spans.duckdb"
    # Concatenated protobuf messages parse as one message, and concatenated gzip members as one
    # body. So each request is the same large body followed by a small trace of its own.
    large_body = bulk(14 * MB).request().SerializeToString()
    large_body_gzipped = gzipped(large_body)
    statuses: Counter[int] = Counter()
    acknowledged: list[str] = []
    retry_after_values: set[str] = set()
    finished = threading.Event()

    def sender(url: str, compressed: bool) -> None:
        headers = PROTOBUF | ({"content-encoding": "gzip"} if compressed else {})
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as http:
            while not finished.is_set():
                trace = purchase("order-1")
                own = trace.request().SerializeToString()
                body = large_body_gzipped + gzipped(own) if compressed else large_body + own
                response = http.post("/v1/traces", content=body)
                statuses[response.status_code] += 1
                if response.status_code == 200:
                    acknowledged.append(trace.trace_id.hex())
                else:
                    retry_after_values.add(response.headers.get("retry-after", "never"))
                if statuses[200] >= 16 and statuses[503] >= 4:
                    finished.set()

    with observatory_process(data) as (process, url):
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
            body = purchase("order-1").request().SerializeToString()
            http.post("/v1/traces", content=body, headers=PROTOBUF).raise_for_status()
            http.get("/api/health").raise_for_status()
            before = peak_bytes(process)
            with ThreadPoolExecutor(32) as senders:
                senders_running = [
                    senders.submit(sender, url, number % 4 > 0) for number in range(32)
                ]
                while not finished.wait(0.2) and not all(each.done() for each in senders_running):
                    assert http.get("/api/health").json()["service"] == "throughline-observatory"
            for each in senders_running:
                each.result()
        growth_bytes = peak_bytes(process) - before
    assert statuses.keys() == {200, 503}
    assert retry_after_values == {"1"}
    assert growth_bytes < GROWTH_LIMIT_BYTES, f"{growth_bytes // MB} MB more than before"
    with duckdb.connect(data) as connection:
        stored = dict(
            connection.execute("select trace_id, count(*) from raw_spans group by all").fetchall()
        )
    assert {stored.get(trace_id) for trace_id in acknowledged} == {len(purchase("order-1").spans)}


def test_memory_intensive_work_runs_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Work that waits too long in the queue is refused, and is never started."""
    monkeypatch.setattr(budget_module, "WAIT_LIMIT_SECONDS", 0.05)
    may_finish = threading.Event()
    started: list[str] = []

    def work(name: str) -> str:
        started.append(name)
        may_finish.wait(10)
        return name

    async def ask(budget: Budget) -> list[Any]:
        first = asyncio.create_task(budget.one_at_a_time(lambda: work("first")))
        second = budget.one_at_a_time(lambda: work("second"))
        (refused,) = await asyncio.gather(second, return_exceptions=True)
        may_finish.set()
        return [await first, refused, await budget.one_at_a_time(lambda: work("third"))]

    budget = Budget(MB)
    first, refused, third = asyncio.run(ask(budget))
    budget.close()
    assert (first, third) == ("first", "third")
    assert isinstance(refused, Overloaded)
    assert started == ["first", "third"]


@pytest.mark.parametrize("path", ["/v1/traces", "/api/import"])
def test_a_json_request_does_not_wait_forever(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """It gets a 503 while other JSON is being parsed, and succeeds afterwards."""
    monkeypatch.setattr(budget_module, "WAIT_LIMIT_SECONDS", 0.05)
    running = start()
    may_finish = threading.Event()
    parsing = running.context.budget._single_worker.submit(may_finish.wait, 10)
    body = json.dumps({"resourceSpans": []})
    refused = running.http.post(path, content=body, headers=JSON)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    may_finish.set()
    parsing.result(10)
    assert running.http.post(path, content=body, headers=JSON).status_code == 200


def test_decompression_stops_when_the_budget_is_used_up(start: Callable[..., Running]) -> None:
    """A body that is small when compressed but exceeds the budget otherwise is refused."""
    running = start(budget_bytes=2 * MB)
    body = gzipped(bulk(8 * MB).request().SerializeToString())
    assert len(body) < MB
    response = running.post("/v1/traces", body, content_encoding="gzip")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert Status.FromString(response.content).code == 14
    assert running.client.health()["pending_bytes"] == 0


def test_requests_stay_undecoded_while_the_writer_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoded rows take more memory than bodies, so only few wait; all are written in the end."""
    spans, decoded_limit = 400, 3
    monkeypatch.setattr(intake_module, "UNWRITTEN_LIMIT_ROWS", (decoded_limit - 1) * spans + 1)
    store = Store(tmp_path / "spans.duckdb")
    intake = Intake(store)
    writing = threading.Event()
    read: list[bytes] = []

    def recording_reader(*bodies: bytes) -> Batch:
        read.extend(bodies)
        return spans_of(*bodies)

    busy = store.run(lambda _: writing.wait(30))
    added = []
    for _ in range(8):
        trace = Trace()
        for _ in range(spans):
            trace.span("page", "buy", INTERNAL, 0, 1)
        # Each request has a reader of its own, so no two are decoded in one batch.
        added.append(intake.add(partial(recording_reader), trace.request().SerializeToString()))
    eventually(lambda: len(read) >= decoded_limit, "the first requests are decoded")
    assert not writing.wait(0.3)
    assert len(read) == decoded_limit
    writing.set()
    busy.result(10)
    for each in added:
        assert each.result(30).rejected == 0
    intake.close()
    store.close()
