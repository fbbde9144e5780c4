"""What a dead, silent or recovered OTLP endpoint costs, with real exporters and real sockets."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.unit.local_server import free_port, serving, silent
from throughline import delivery
from throughline.delivery import Outage, PatientLogExporter, PatientSpanExporter

EXPORT_TIMEOUT_SECONDS = 0.6


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
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        # So seldom that only the flushes of the test deliver anything.
        self.tracers.add_span_processor(
            BatchSpanProcessor(PatientSpanExporter(spans, outage), schedule_delay_millis=600_000)
        )
        self.loggers.add_log_record_processor(
            BatchLogRecordProcessor(PatientLogExporter(logs, outage), schedule_delay_millis=600_000)
        )

    def record(self, spans: int = 1) -> None:
        """Make some spans and one log record."""
        for _ in range(spans):
            self.tracers.get_tracer("test").start_span("span").end()
        self.loggers.get_logger("test").emit(body="line")

    def flush(self) -> float:
        """Deliver all of it; returns the seconds that took."""
        began = time.monotonic()
        self.tracers.force_flush()
        self.loggers.force_flush()
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
        assert [asked.path for asked in server.asked] == ["/v1/traces", "/v1/logs"]
        request = ExportTraceServiceRequest.FromString(server.asked[0].body)
    assert len(request.resource_spans[0].scope_spans[0].spans) == 3
    assert (outage.dropped, complaints(caplog)) == (0, [])


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
    assert outage.dropped == 42


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
    """Whatever listens there, telemetry isn't taken."""
    outage = Outage()
    with serving(lambda _: status) as server, telemetry_to(server.url, outage) as telemetry:
        telemetry.record(spans=2)
        telemetry.flush()
    assert outage.dropped == 3
    assert len(complaints(caplog)) == 1


def test_recovery_is_said_with_the_number_of_items_dropped(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the endpoint is tried again and answers, the gap is known and the count begins anew."""
    outage, port = Outage(), free_port()
    with telemetry_to(f"http://127.0.0.1:{port}", outage) as telemetry:
        telemetry.record(spans=2)
        telemetry.flush()
        telemetry.record(spans=4)
        telemetry.flush()
        with serving(port=port) as server:
            telemetry.record()
            telemetry.flush()
            assert server.asked == [], "nobody asks before the time has come"
            outage._until = time.monotonic()
            telemetry.record(spans=5)
            telemetry.flush()
            request = ExportTraceServiceRequest.FromString(server.asked[0].body)
    assert len(request.resource_spans[0].scope_spans[0].spans) == 5
    assert complaints(caplog)[1:] == ["The OTLP endpoint answers again; 10 items were dropped"]
    assert outage.dropped == 0


def test_an_outage_that_goes_on_is_tried_again_and_not_said_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every so often one export tries; a failure then starts the wait over."""
    monkeypatch.setattr(delivery, "RETRY_AFTER_SECONDS", 0.0)
    outage, tries = Outage(), []

    def fail() -> bool:
        tries.append(1)
        return False

    assert [outage.attempt(2, fail) for _ in range(5)] == [False] * 5
    assert (len(tries), outage.dropped, len(complaints(caplog))) == (5, 10, 1)


def test_counts_are_right_when_many_threads_lose_telemetry(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No item is lost from the count, and the outage is still said once."""
    outage = Outage()
    together = threading.Barrier(8)

    def lose() -> None:
        together.wait()
        for _ in range(500):
            outage.attempt(3, lambda: False)

    threads = [threading.Thread(target=lose) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outage.dropped == 8 * 500 * 3
    assert len(complaints(caplog)) == 1


def test_both_exporters_of_a_process_share_one_outage(caplog: pytest.LogCaptureFixture) -> None:
    """When spans were refused, log records don't wait to find out for themselves."""
    outage = Outage()
    with serving(lambda _: 404) as server, telemetry_to(server.url, outage) as telemetry:
        telemetry.record()
        telemetry.flush()
        assert [asked.path for asked in server.asked] == ["/v1/traces"]
    assert outage.dropped == 2
