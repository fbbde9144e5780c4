"""What a dead, silent or recovered OTLP endpoint costs, with real exporters and real sockets."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from tests.unit.local_server import LocalServer, eventually, free_port, serving, silent
from throughline import delivery
from throughline.delivery import Delivery, Outage
from throughline.group_delivery import GroupDelivery, RecordCollector, SpanCollector

EXPORT_TIMEOUT_SECONDS = 0.6


@pytest.fixture(autouse=True)
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried again by itself unless a test wants it, so that none has to race a timer."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 600.0)
    monkeypatch.setattr(delivery, "RETRY_MAX_SECONDS", 600.0)


@pytest.fixture(autouse=True)
def quiet_exporters() -> Iterator[None]:
    """As throughline.log has it: delivery.py speaks for the exporters."""
    exporters = logging.getLogger("opentelemetry.exporter")
    before = exporters.level
    exporters.setLevel(logging.CRITICAL)
    yield
    exporters.setLevel(before)


class Telemetry:
    """A process's tracer and logger providers as telemetry.start() makes them."""

    def __init__(self, url: str, outage: Outage) -> None:
        timeout = EXPORT_TIMEOUT_SECONDS
        spans = OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=timeout)
        logs = OTLPLogExporter(endpoint=f"{url}/v1/logs", timeout=timeout)
        # So seldom in the background that only the flushes of the test deliver anything.
        self.delivery = GroupDelivery(
            lambda batch: spans.export(batch) is SpanExportResult.SUCCESS,
            lambda batch: logs.export(batch) is LogRecordExportResult.SUCCESS,
            outage,
            background_delay_seconds=600,
        )
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SpanCollector(self.delivery))
        self.loggers.add_log_record_processor(RecordCollector(self.delivery))

    def record(self, spans: int = 1) -> None:
        """Make some spans and one log record."""
        for _ in range(spans):
            self.tracers.get_tracer("test").start_span("span").end()
        self.loggers.get_logger("test").emit(body="line")

    def flush(self) -> float:
        """Deliver all of it; returns the seconds that took."""
        began = time.monotonic()
        self.delivery.flush()
        return time.monotonic() - began


@contextmanager
def telemetry_to(url: str, outage: Outage) -> Iterator[Telemetry]:
    """Providers that send to `url` while the block runs."""
    telemetry = Telemetry(url, outage)
    try:
        yield telemetry
    finally:
        telemetry.tracers.shutdown()
        telemetry.loggers.shutdown()


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What delivery.py said."""
    return [r.getMessage() for r in caplog.records if r.name == delivery.__name__]


def test_a_live_endpoint_gets_everything_and_nothing_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Spans and log records arrive in the flush; there is nothing to count."""
    outage = Outage()
    with serving() as server, telemetry_to(server.url, outage) as telemetry:
        telemetry.record(spans=3)
        telemetry.flush()
        assert sorted(request.path for request in server.requests) == ["/v1/logs", "/v1/traces"]
        assert spans_at(server) == 3
    assert (outage.dropped, complaints(caplog)) == (0, [])


def spans_at(server: LocalServer) -> int:
    """How many spans the endpoint was sent."""
    requests = [
        ExportTraceServiceRequest.FromString(request.body)
        for request in server.requests
        if request.path == "/v1/traces"
    ]
    return sum(len(request.resource_spans[0].scope_spans[0].spans) for request in requests)


@pytest.mark.measures
def test_a_refused_connection_is_waited_for_once_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first flush is bounded by the timeout; later ones don't even try."""
    outage = Outage()
    with telemetry_to(f"http://127.0.0.1:{free_port()}", outage) as telemetry:
        telemetry.record()
        first = telemetry.flush()
        later = []
        for _ in range(20):
            telemetry.record()
            later.append(telemetry.flush())
    assert first < 4 * EXPORT_TIMEOUT_SECONDS
    assert sum(later) < EXPORT_TIMEOUT_SECONDS, "twenty flushes are quicker than one timeout"
    said = complaints(caplog)
    assert len(said) == 1
    assert "The OTLP endpoint does not answer" in said[0]
    assert outage.dropped == 0


@pytest.mark.measures
def test_a_silent_endpoint_costs_one_timeout(caplog: pytest.LogCaptureFixture) -> None:
    """It takes the connection and never answers: one export waits, then nobody waits any more."""
    outage = Outage()
    with silent() as url, telemetry_to(url, outage) as telemetry:
        telemetry.record()
        first = telemetry.flush()
        telemetry.record()
        second = telemetry.flush()
    assert 0.9 * EXPORT_TIMEOUT_SECONDS <= first < 4 * EXPORT_TIMEOUT_SECONDS
    assert second < EXPORT_TIMEOUT_SECONDS / 2
    assert len(complaints(caplog)) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 500])
def test_an_endpoint_that_refuses_what_it_gets_is_an_outage_too(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Spans and log records are refused once each, at the same time; then neither is sent."""
    outage = Outage()
    with serving(lambda _: status) as server, telemetry_to(server.url, outage) as telemetry:
        for _ in range(2):
            telemetry.record(spans=2)
            telemetry.flush()
        assert sorted(request.path for request in server.requests) == ["/v1/logs", "/v1/traces"]
    assert len(complaints(caplog)) == 1


def test_what_was_not_taken_arrives_when_the_endpoint_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody asks before the time has come; then everything kept is sent, and the end is said."""
    outage, port = Outage(), free_port()
    with telemetry_to(f"http://127.0.0.1:{port}", outage) as telemetry:
        telemetry.record(spans=2)
        telemetry.flush()
        telemetry.record(spans=4)
        telemetry.flush()
        with serving(port=port) as server:
            telemetry.record()
            telemetry.flush()
            assert server.requests == [], "nobody asks before the time has come"
            outage._until = time.monotonic()
            telemetry.record(spans=5)
            telemetry.flush()
            assert spans_at(server) == 12
    assert complaints(caplog)[1:] == ["The OTLP endpoint answers again; 0 items were dropped"]


def test_what_was_kept_arrives_without_another_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function may not be called again for hours; a timer tries, and waits longer each time."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(delivery, "RETRY_MAX_SECONDS", 0.05)
    outage, port = Outage(), free_port()
    with telemetry_to(f"http://127.0.0.1:{port}", outage) as telemetry:
        telemetry.record(spans=3)
        telemetry.flush()
        with serving(port=port) as server:
            eventually(lambda: spans_at(server) == 3, "the spans arrive by themselves")
            eventually(
                lambda: "/v1/logs" in {request.path for request in server.requests}, "so do logs"
            )


def test_what_was_kept_is_tried_once_more_at_the_end() -> None:
    """A worker that is told to end does not take it along."""
    outage, port = Outage(), free_port()
    telemetry = Telemetry(f"http://127.0.0.1:{port}", outage)
    telemetry.record(spans=3)
    telemetry.flush()
    with serving(port=port) as server:
        telemetry.tracers.shutdown()
        telemetry.loggers.shutdown()
        assert spans_at(server) == 3


class Endpoint:
    """Takes batches of numbers, but for those that hold one of `refused`, while it is up."""

    def __init__(self, *refused: int) -> None:
        self.refused = set(refused)
        self.up = False
        self.taken: list[int] = []

    def __call__(self, batch: Sequence[int]) -> bool:
        if not self.up or self.refused & set(batch):
            return False
        self.taken += batch
        return True


def test_no_more_is_kept_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The oldest go first, and are counted."""
    monkeypatch.setattr(delivery, "KEPT_MAX_ITEMS", 10)
    outage, endpoint = Outage(), Endpoint()
    sent: Delivery[int] = Delivery(endpoint, outage)
    for first in range(0, 21, 3):
        sent.deliver([first, first + 1, first + 2])
    assert outage.dropped == 12
    endpoint.up = True
    outage._until = time.monotonic()
    assert sent.deliver([99])
    sent.catch_up()
    assert sorted(endpoint.taken) == [*range(12, 21), 99]
    assert complaints(caplog)[1:] == ["The OTLP endpoint answers again; 12 items were dropped"]


def test_a_batch_that_is_never_taken_does_not_keep_others_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once a newer one was taken, one that is refused is given up, and said."""
    outage, endpoint = Outage(), Endpoint(7)
    endpoint.up = True
    sent: Delivery[int] = Delivery(endpoint, outage)
    assert not sent.deliver([7, 8])
    outage._until = time.monotonic()
    assert sent.deliver([9])
    sent.catch_up()
    assert sent.deliver([10])
    assert endpoint.taken == [9, 10]
    assert complaints(caplog)[2:] == ["The OTLP endpoint refuses a batch: 2 items are dropped"]


def test_an_outage_that_goes_on_is_not_said_again(caplog: pytest.LogCaptureFixture) -> None:
    """Each failure starts the wait over."""
    outage, endpoint = Outage(), Endpoint()
    sent: Delivery[int] = Delivery(endpoint, outage)
    for number in range(5):
        outage._until = time.monotonic()
        assert not sent.deliver([number])
        assert outage.seconds_left() > 0
    assert len(complaints(caplog)) == 1


def test_exports_that_fail_together_lengthen_the_gap_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Eight overlapping requests meet one failure, not eight in a row."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 100.0)
    outage, together = Outage(), threading.Barrier(8)

    def fail(_batch: Sequence[int]) -> bool:
        together.wait()
        return False

    sent: Delivery[int] = Delivery(fail, outage)
    threads = [threading.Thread(target=sent.deliver, args=([n],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < outage.seconds_left() <= 100


def test_one_export_tries_again_when_the_gap_is_over() -> None:
    """The others keep what they have until that one has ended."""
    outage = Outage()
    outage.begin()
    outage._until = time.monotonic()
    assert [outage.may_try() for _ in range(3)] == [True, False, False]


def test_no_item_is_lost_between_threads(caplog: pytest.LogCaptureFixture) -> None:
    """Each is kept or counted, and the outage is still said once."""
    outage, endpoint = Outage(), Endpoint()
    sent: Delivery[int] = Delivery(endpoint, outage)
    together = threading.Barrier(8)

    def lose() -> None:
        together.wait()
        for number in range(500):
            sent.deliver([number] * 3)

    threads = [threading.Thread(target=lose) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(complaints(caplog)) == 1
    dropped = outage.dropped
    endpoint.up = True
    sent.end()
    assert dropped + len(endpoint.taken) == 8 * 500 * 3
