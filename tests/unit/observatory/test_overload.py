"""Sent more than it can write: memory stays bounded, senders are told to come back, and do."""

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
from tests.unit.observatory.conftest import JSON, PROTOBUF, Running, squeezed
from tests.unit.observatory.process import observatory_process, peak_bytes
from tests.unit.observatory.telemetry import INTERNAL, Trace, purchase

MB = 10**6
# What the requests on their way come to as rows, which take several times as much, and what DuckDB
# may take (`store/opening.py`). It grows by 0.35 to 0.6 GB; without bounds by 1.7 to 3 GB.
GROWTH_LIMIT_BYTES = 6 * BUDGET_BYTES + 320 * MB


def test_a_real_exporter_comes_back_and_nothing_is_lost(start: Callable[..., Running]) -> None:
    """OpenTelemetry's own, told 503 with Retry-After, sends the same once more."""
    running = start(budget_bytes=MB)
    others = ExitStack()  # who take all the room, until somebody is sent away
    others.enter_context(running.context.budget.share()).take(MB)
    statuses: list[int] = []

    def answered(answer: requests.Response, *_: Any, **__: Any) -> None:
        statuses.append(answer.status_code)
        if answer.status_code == 503:
            others.close()

    session = requests.Session()
    session.trust_env = False
    session.hooks["response"].append(answered)
    results: list[SpanExportResult] = []

    class Noting(OTLPSpanExporter):
        def export(self, *spans: Any, **more: Any) -> SpanExportResult:
            results.append(super().export(*spans, **more))
            return results[-1]

    exporter = Noting(f"{running.url}/v1/traces", session=session, timeout=30)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("test").start_span("buy").end()
    provider.shutdown()
    assert statuses == [503, 200]
    assert results == [SpanExportResult.SUCCESS]
    assert running.client.health()["spans"] == 1


def bulk(bytes_: int) -> Trace:
    """A trace that takes so many bytes to send, about."""
    trace = Trace()
    for number in range(bytes_ // 300):
        trace.span("page", f"step {number % 50}", INTERNAL, 0, 1, text=f"{number:06}" * 32)
    return trace


@pytest.mark.measures
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells another process's peak")
def test_memory_stays_bounded_while_far_more_comes_than_is_taken(tmp_path: Path) -> None:
    """Thirty-two senders of 14 MB each, packed and plain: it takes no more memory than its limits
    come to, answers others meanwhile, sends some away for later, and has all that it took."""
    data = tmp_path / "spans.duckdb"
    # Bodies of one message after the other are one message, and gzip's are one body: so each
    # request has a trace of its own beside what makes it large, and takes no time to make.
    much = bulk(14 * MB).request().SerializeToString()
    much_packed = squeezed(much)
    counted: Counter[int] = Counter()
    taken: list[str] = []
    told: set[str] = set()
    enough = threading.Event()

    def sender(url: str, packed: bool) -> None:
        headers = PROTOBUF | ({"content-encoding": "gzip"} if packed else {})
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as http:
            while not enough.is_set():
                trace = purchase("order-1")
                own = trace.request().SerializeToString()
                body = much_packed + squeezed(own) if packed else much + own
                answer = http.post("/v1/traces", content=body)
                counted[answer.status_code] += 1
                if answer.status_code == 200:
                    taken.append(trace.trace_id.hex())
                else:
                    told.add(answer.headers.get("retry-after", "never"))
                if counted[200] >= 16 and counted[503] >= 4:
                    enough.set()

    with observatory_process(data) as (process, url):
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as asking:
            body = purchase("order-1").request().SerializeToString()
            asking.post("/v1/traces", content=body, headers=PROTOBUF).raise_for_status()
            asking.get("/api/health").raise_for_status()
            before = peak_bytes(process)
            with ThreadPoolExecutor(32) as senders:
                going = [senders.submit(sender, url, number % 4 > 0) for number in range(32)]
                while not enough.wait(0.2) and not all(each.done() for each in going):
                    assert asking.get("/api/health").json()["service"] == "throughline-observatory"
            for each in going:
                each.result()
        grown = peak_bytes(process) - before
    assert counted.keys() == {200, 503}
    assert told == {"1"}
    assert grown < GROWTH_LIMIT_BYTES, f"{grown // MB} MB more than before"
    with duckdb.connect(data) as connection:
        stored = dict(
            connection.execute("select trace_id, count(*) from raw_spans group by all").fetchall()
        )
    assert {stored.get(trace_id) for trace_id in taken} == {len(purchase("order-1").spans)}


def test_what_takes_many_times_its_size_is_done_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whose turn does not come soon is told so, and nothing is begun for it."""
    monkeypatch.setattr(budget_module, "WAIT_LIMIT_SECONDS", 0.05)
    going = threading.Event()
    begun: list[str] = []

    def work(name: str) -> str:
        begun.append(name)
        going.wait(10)
        return name

    async def ask(budget: Budget) -> list[Any]:
        first = asyncio.create_task(budget.one_at_a_time(lambda: work("first")))
        second = budget.one_at_a_time(lambda: work("second"))
        (refused,) = await asyncio.gather(second, return_exceptions=True)
        going.set()
        return [await first, refused, await budget.one_at_a_time(lambda: work("third"))]

    budget = Budget(MB)
    first, refused, third = asyncio.run(ask(budget))
    budget.close()
    assert (first, third) == ("first", "third")
    assert isinstance(refused, Overloaded)
    assert begun == ["first", "third"]


@pytest.mark.parametrize("path", ["/v1/traces", "/api/import"])
def test_a_sender_of_json_does_not_wait_without_end(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """While others' JSON is read it is told to come back, and then it is taken."""
    monkeypatch.setattr(budget_module, "WAIT_LIMIT_SECONDS", 0.05)
    running = start()
    others = threading.Event()
    reading = running.context.budget._one.submit(others.wait, 10)
    body = json.dumps({"resourceSpans": []})
    refused = running.http.post(path, content=body, headers=JSON)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    others.set()
    reading.result(10)
    assert running.http.post(path, content=body, headers=JSON).status_code == 200


def test_no_more_is_unpacked_than_there_is_room_for(start: Callable[..., Running]) -> None:
    """A body that is small on its way and large here is refused before it is large here."""
    running = start(budget_bytes=2 * MB)
    body = squeezed(bulk(8 * MB).request().SerializeToString())
    assert len(body) < MB
    answer = running.post("/v1/traces", body, content_encoding="gzip")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert Status.FromString(answer.content).code == 14
    assert running.client.health()["pending_bytes"] == 0


def test_what_the_writer_can_not_keep_up_with_stays_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows take more memory than what they are read from: few wait, and all are written."""
    spans, most = 400, 3
    monkeypatch.setattr(intake_module, "UNWRITTEN_LIMIT_ROWS", (most - 1) * spans + 1)
    store = Store(tmp_path / "spans.duckdb")
    intake = Intake(store)
    writing = threading.Event()
    read: list[bytes] = []

    def noted(*bodies: bytes) -> Batch:
        read.extend(bodies)
        return spans_of(*bodies)

    busy = store.run(lambda _: writing.wait(30))
    added = []
    for _ in range(8):
        trace = Trace()
        for _ in range(spans):
            trace.span("page", "buy", INTERNAL, 0, 1)
        # What has a reader of its own is read alone.
        added.append(intake.add(partial(noted), trace.request().SerializeToString()))
    eventually(lambda: len(read) >= most, "the first are read")
    assert not writing.wait(0.3)
    assert len(read) == most
    writing.set()
    busy.result(10)
    for each in added:
        assert each.result(30).rejected == 0
    intake.close()
    store.close()
