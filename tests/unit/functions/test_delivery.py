"""Delivery to an endpoint that is down, silent or back, with real exporters and sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

from tests.unit.local_server import (
    LocalServer,
    ReceivedRequest,
    eventually,
    free_port,
    serving,
    silent,
)
from throughline import delivery, exporters
from throughline.delivery import Delivery, Outage
from throughline.group_delivery import GroupDelivery, RecordCollector, SpanCollector

EXPORT_TIMEOUT_SECONDS = 0.6


@pytest.fixture(autouse=True)
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the retry timer, so that no test races it; a test can enable it."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 600.0)
    monkeypatch.setattr(delivery, "RETRY_MAX_SECONDS", 600.0)


class Telemetry:
    """A process's tracer and logger providers, as telemetry.start() creates them."""

    def __init__(self, url: str, outage: Outage) -> None:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_TIMEOUT": str(EXPORT_TIMEOUT_SECONDS),
        }
        # A long interval, so that only the test's flushes deliver.
        self.delivery = GroupDelivery(
            exporters.span_export(environment, outage),
            exporters.record_export(environment, outage),
            outage,
            background_delay_seconds=600,
        )
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SpanCollector(self.delivery))
        self.loggers.add_log_record_processor(RecordCollector(self.delivery))

    def record(self, spans: int = 1) -> None:
        """Record some spans and one log record."""
        for _ in range(spans):
            self.tracers.get_tracer("test").start_span("span").end()
        self.loggers.get_logger("test").emit(body="line")

    def flush(self) -> float:
        """Flush everything and return how many seconds that took."""
        began = time.monotonic()
        self.delivery.flush()
        return time.monotonic() - began


@contextmanager
def telemetry_to(url: str, outage: Outage) -> Iterator[Telemetry]:
    """Yield providers that send to `url`, and shut them down after the block."""
    telemetry = Telemetry(url, outage)
    try:
        yield telemetry
    finally:
        telemetry.tracers.shutdown()
        telemetry.loggers.shutdown()


def logged_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages that delivery.py logged."""
    return [r.getMessage() for r in caplog.records if r.name == delivery.__name__]


def test_a_live_endpoint_gets_everything_without_a_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The flush delivers spans and log records; none is dropped."""
    outage = Outage()
    with serving() as server, telemetry_to(server.url, outage) as telemetry:
        telemetry.record(spans=3)
        telemetry.flush()
        assert sorted(request.path for request in server.requests) == ["/v1/logs", "/v1/traces"]
        assert spans_at(server) == 3
    assert (outage.dropped, logged_warnings(caplog)) == (0, [])


def spans_at(server: LocalServer) -> int:
    """Return how many spans the endpoint has received."""
    requests = [
        ExportTraceServiceRequest.FromString(request.body)
        for request in server.requests
        if request.path == "/v1/traces"
    ]
    return sum(len(request.resource_spans[0].scope_spans[0].spans) for request in requests)


@pytest.mark.measures
def test_a_refused_connection_costs_one_timeout_and_one_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first flush is bounded by the timeout; later ones do not try."""
    outage = Outage()
    with telemetry_to(f"http://127.0.0.1:{free_port()}", outage) as telemetry:
        telemetry.record()
        first = telemetry.flush()
        later = []
        for _ in range(20):
            telemetry.record()
            later.append(telemetry.flush())
        warnings = logged_warnings(caplog)
    assert first < 4 * EXPORT_TIMEOUT_SECONDS
    assert sum(later) < EXPORT_TIMEOUT_SECONDS, "twenty flushes are quicker than one timeout"
    assert len(warnings) == 1
    assert "The OTLP endpoint does not answer" in warnings[0]
    assert outage.dropped == 0


@pytest.mark.measures
def test_a_silent_endpoint_costs_one_timeout(caplog: pytest.LogCaptureFixture) -> None:
    """The endpoint accepts connections and never answers; only the first export waits."""
    outage = Outage()
    with silent() as url, telemetry_to(url, outage) as telemetry:
        telemetry.record()
        first = telemetry.flush()
        telemetry.record()
        second = telemetry.flush()
        assert len(logged_warnings(caplog)) == 1
    assert 0.9 * EXPORT_TIMEOUT_SECONDS <= first < 4 * EXPORT_TIMEOUT_SECONDS
    assert second < EXPORT_TIMEOUT_SECONDS / 2


def test_an_outage_lasts_at_least_as_long_as_the_endpoint_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And as long as the gap between attempts, if the endpoint asks for less."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 1.0)
    for asked, least in ((30.0, 29.0), (0.1, 0.9)):
        outage = Outage()
        outage.begin(retry_after_seconds=asked)
        assert least < outage.seconds_left() <= max(asked, 1.0)
        assert not outage.may_try()


@pytest.mark.parametrize("status", [400, 404, 413, 500])
def test_an_endpoint_that_rejects_exports_counts_as_an_outage(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Spans and log records are each refused once, concurrently; then nothing is sent."""
    outage = Outage()
    with serving(lambda _: status) as server, telemetry_to(server.url, outage) as telemetry:
        for _ in range(2):
            telemetry.record(spans=2)
            telemetry.flush()
        assert sorted(request.path for request in server.requests) == ["/v1/logs", "/v1/traces"]
        assert len(logged_warnings(caplog)) == 1


def test_buffered_telemetry_arrives_once_the_endpoint_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is sent before the retry is due; then the buffer is, and a line is logged."""
    outage, port = Outage(), free_port()
    with telemetry_to(f"http://127.0.0.1:{port}", outage) as telemetry:
        telemetry.record(spans=2)
        telemetry.flush()
        telemetry.record(spans=4)
        telemetry.flush()
        with serving(port=port) as server:
            telemetry.record()
            telemetry.flush()
            assert server.requests == [], "nothing is sent before the retry is due"
            outage._until = time.monotonic()
            telemetry.record(spans=5)
            telemetry.flush()
            assert spans_at(server) == 12
    assert logged_warnings(caplog)[1:] == ["The OTLP endpoint answers again; 0 items were dropped"]


def test_buffered_telemetry_is_retried_without_another_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next call may come hours later, so a timer retries, each time after a longer wait."""
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


def test_buffered_telemetry_is_sent_once_more_at_shutdown() -> None:
    """A worker that shuts down sends its buffer first."""
    outage, port = Outage(), free_port()
    telemetry = Telemetry(f"http://127.0.0.1:{port}", outage)
    telemetry.record(spans=3)
    telemetry.flush()
    with serving(port=port) as server:
        telemetry.tracers.shutdown()
        telemetry.loggers.shutdown()
        assert spans_at(server) == 3


def test_what_is_lost_at_the_end_of_the_process_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The number of spans and log records that could not be sent once more."""
    with telemetry_to(f"http://127.0.0.1:{free_port()}", Outage()) as telemetry:
        telemetry.record(spans=3)
        telemetry.flush()
    assert logged_warnings(caplog)[1:] == [
        "4 items of telemetry were not delivered, and the OTLP endpoint rejected 0"
    ]


def partial_success(rejected: int, message: str, kind: str) -> tuple[int, bytes, dict[str, str]]:
    """Return an answer of 200 that rejects some spans, in protobuf or JSON."""
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = rejected
    response.partial_success.error_message = message
    is_json = kind.startswith("application/json")
    body = MessageToJson(response).encode() if is_json else response.SerializeToString()
    return 200, body, {"Content-Type": kind}


@pytest.mark.parametrize("kind", ["application/x-protobuf", "application/json; charset=utf-8"])
def test_spans_that_an_accepted_export_rejects_are_lost_and_logged_once(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They are counted, not sent again; the endpoint is not considered to be failing."""

    def answer(request: ReceivedRequest) -> int | tuple[int, bytes, dict[str, str]]:
        is_spans = request.path == "/v1/traces"
        return partial_success(2, "too\n old" + "!" * 500, kind) if is_spans else 200

    outage = Outage()
    with serving(answer) as server, telemetry_to(server.url, outage) as telemetry:
        for _ in range(3):
            telemetry.record(spans=5)
            telemetry.flush()
        assert spans_at(server) == 15
        (warning,) = logged_warnings(caplog)
        assert "rejected 2 of its items: too? old!!!" in warning
        assert len(warning) < 400
    assert outage.rejected == 6
    assert logged_warnings(caplog)[1:] == [
        "0 items of telemetry were not delivered, and the OTLP endpoint rejected 6"
    ]


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>Sign in to this network</html>", {"Content-Type": "text/html"}),
        (200, b"not json", {"Content-Type": "application/json"}),
    ],
    ids=["html", "json that is none"],
)
def test_an_answer_that_is_not_otlp_is_logged_once(
    answer: tuple[int, bytes, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    """It was probably not an OTLP endpoint that said 200."""
    with serving(lambda _: answer) as server, telemetry_to(server.url, Outage()) as telemetry:
        for _ in range(2):
            telemetry.record()
            telemetry.flush()
        (warning,) = logged_warnings(caplog)
        assert "OTEL_EXPORTER_OTLP_ENDPOINT right?" in warning


def test_a_redirect_is_not_an_acceptance(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing follows it, so its spans were not stored anywhere."""
    with serving(lambda _: 302) as server, telemetry_to(server.url, Outage()) as telemetry:
        telemetry.record()
        telemetry.flush()
        assert len(logged_warnings(caplog)) == 1


class Endpoint:
    """While up, accepts batches of numbers, except those with a number in `refused`."""

    def __init__(self, *refused: int) -> None:
        self.refused = set(refused)
        self.up = False
        self.taken: list[int] = []

    def __call__(self, batch: Sequence[int]) -> Callable[[], bool]:
        is_accepted = self.up and not self.refused & set(batch)
        if is_accepted:
            self.taken += batch
        return lambda: is_accepted


def test_the_buffer_drops_the_oldest_items_when_full(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The oldest items are dropped first and counted."""
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
    assert logged_warnings(caplog)[1:] == ["The OTLP endpoint answers again; 12 items were dropped"]


def test_a_batch_that_is_always_refused_does_not_block_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a newer batch is accepted, an older one that is refused is dropped and logged."""
    outage, endpoint = Outage(), Endpoint(7)
    endpoint.up = True
    sent: Delivery[int] = Delivery(endpoint, outage)
    assert not sent.deliver([7, 8])
    outage._until = time.monotonic()
    assert sent.deliver([9])
    sent.catch_up()
    assert sent.deliver([10])
    assert endpoint.taken == [9, 10]
    assert logged_warnings(caplog)[2:] == ["The OTLP endpoint refuses a batch: 2 items are dropped"]


def test_a_continuing_outage_is_not_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    """Each failure restarts the wait without another log line."""
    outage, endpoint = Outage(), Endpoint()
    sent: Delivery[int] = Delivery(endpoint, outage)
    for number in range(5):
        outage._until = time.monotonic()
        assert not sent.deliver([number])
        assert outage.seconds_left() > 0
    assert len(logged_warnings(caplog)) == 1


def test_exports_that_fail_together_lengthen_the_gap_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Eight overlapping failures count as one, not as eight in a row."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 100.0)
    outage, together = Outage(), threading.Barrier(8)

    def fail(_batch: Sequence[int]) -> Callable[[], bool]:
        together.wait()
        return lambda: False

    sent: Delivery[int] = Delivery(fail, outage)
    threads = [threading.Thread(target=sent.deliver, args=([n],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < outage.seconds_left() <= 100


def test_one_export_retries_when_the_gap_is_over() -> None:
    """The others buffer their batches until that attempt has ended."""
    outage = Outage()
    outage.begin()
    outage._until = time.monotonic()
    assert [outage.may_try() for _ in range(3)] == [True, False, False]


def test_no_item_is_lost_between_threads(caplog: pytest.LogCaptureFixture) -> None:
    """Each item is buffered or counted, and the outage is logged once."""
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
    assert len(logged_warnings(caplog)) == 1
    dropped = outage.dropped
    endpoint.up = True
    sent.end()
    assert dropped + len(endpoint.taken) == 8 * 500 * 3
