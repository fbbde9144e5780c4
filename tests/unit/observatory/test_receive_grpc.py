"""OTLP over gRPC: the same requests as over HTTP, with the same limits and errors."""

import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from observatory.__main__ import main
from observatory.listening import listen
from observatory.receive.otlp import BODY_LIMIT_BYTES
from observatory.receive.otlp_grpc import MESSAGE_LIMIT_BYTES
from tests.unit.local_server import eventually, free_port
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.process import observatory_process, peak_bytes
from tests.unit.observatory.telemetry import INTERNAL, Trace, purchase
from tests.unit.observatory.test_overload import GROWTH_LIMIT_BYTES, MB, bulk

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class GrpcRunning:
    """An Observatory that receives gRPC, and a channel to it."""

    def __init__(self, start: Callable[..., Running], **options: Any) -> None:
        listener = listen("127.0.0.1", 0)
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self.observatory = start(grpc_listener=listener, **options)
        self.channel = grpc.insecure_channel(self.address)

    def export(
        self, message: bytes, compression: grpc.Compression | None = None
    ) -> ExportTraceServiceResponse:
        """Send the bytes as the message of an export of traces."""
        call = self.channel.unary_unary(TRACES)
        body = call(message, timeout=30, compression=compression, wait_for_ready=True)
        response: ExportTraceServiceResponse = ExportTraceServiceResponse.FromString(body)
        return response


@pytest.fixture
def receiving(start: Callable[..., Running]) -> Iterator[Callable[..., GrpcRunning]]:
    """A function that starts an Observatory with gRPC."""
    with ExitStack() as channels:

        def run(**options: Any) -> GrpcRunning:
            running = GrpcRunning(start, **options)
            channels.enter_context(running.channel)
            return running

        yield run


def failure(call: Callable[[], object]) -> grpc.RpcError:
    """Return the error of a call that must fail."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip], ids=["plain", "gzip"])
def test_the_three_services_store_what_http_stores(
    receiving: Callable[..., GrpcRunning], compression: grpc.Compression | None
) -> None:
    """The generated clients of opentelemetry-proto send traces, logs and metrics."""
    running = receiving()
    trace = purchase("order-1")
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="orders")
    metric.gauge.data_points.add(time_unix_nano=trace.began_unix_nano, as_int=3)
    options: dict[str, Any] = {"compression": compression, "timeout": 30, "wait_for_ready": True}
    channel = running.channel
    TraceServiceStub(channel).Export(trace.request(), **options)  # type: ignore[no-untyped-call]
    LogsServiceStub(channel).Export(trace.logs_request(), **options)  # type: ignore[no-untyped-call]
    MetricsServiceStub(channel).Export(metrics, **options)  # type: ignore[no-untyped-call]
    over_http = purchase("order-2", began_unix_nano=trace.began_unix_nano)
    running.observatory.send(over_http)
    journeys = [
        running.observatory.client.trace(each.trace_id.hex()) for each in (trace, over_http)
    ]
    assert [journey["spans"] for journey in journeys] == [len(trace.spans)] * 2
    names = [[(row["name"], len(row["logs"])) for row in journey["rows"]] for journey in journeys]
    assert names[0] == names[1]
    assert any(count for _, count in names[0])
    listed = running.observatory.http.get("/api/metrics").json()
    assert [metric["name"] for metric in listed["metrics"]] == ["orders"]


def test_the_sdks_exporter_needs_nothing_but_the_address(
    receiving: Callable[..., GrpcRunning],
) -> None:
    running = receiving()
    exporter = OTLPSpanExporter(f"http://{running.address}", insecure=True)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("test").start_span("buy").end()
    provider.shutdown()
    health = running.observatory.client.health()
    assert health["spans"] == 1
    assert running.address.endswith(f":{health['grpc_port']}")  # the explorer shows it


def test_rejected_spans_are_counted_in_partial_success(
    receiving: Callable[..., GrpcRunning],
) -> None:
    running = receiving()
    trace = Trace()
    for _ in range(2):
        trace.span("page", "buy", INTERNAL, 0, 1)
    trace.spans[0][1].span_id = bytes(8)
    partial = running.export(trace.request().SerializeToString()).partial_success
    assert partial.rejected_spans == 1
    assert "1 span rejected" in partial.error_message
    assert running.observatory.client.health()["spans"] == 1


def test_overload_is_unavailable_with_the_delay_of_the_retry(
    receiving: Callable[..., GrpcRunning],
) -> None:
    """The delay is in the standard details, and where OpenTelemetry's Python exporter reads it."""
    running = receiving(budget_bytes=2_000)
    body = purchase("order-1").request().SerializeToString()
    error = failure(lambda: running.export(body))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "retry later" in error.details()
    metadata = dict(error.trailing_metadata())
    status = Status.FromString(metadata["grpc-status-details-bin"])
    retry = RetryInfo()
    assert status.code == 14
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.seconds == 1
    assert RetryInfo.FromString(metadata["google.rpc.retryinfo-bin"]) == retry
    assert running.observatory.client.health()["pending_bytes"] == 0
    small = Trace()
    small.span("page", "buy", INTERNAL, 0, 1)
    running.export(small.request().SerializeToString())


@pytest.mark.parametrize(
    ("message", "compression", "text"),
    [
        pytest.param(
            bytes(BODY_LIMIT_BYTES + 1), None, "larger than 16 MiB: send smaller", id="too large"
        ),
        pytest.param(
            bytes(MESSAGE_LIMIT_BYTES + 1), None, "larger than max", id="larger than gRPC reads"
        ),
        pytest.param(
            bytes(20 * BODY_LIMIT_BYTES),
            grpc.Compression.Gzip,
            "larger than 16 MiB: send smaller",
            id="gzip bomb",
        ),
    ],
)
def test_a_message_above_the_limit_is_refused_for_good(
    receiving: Callable[..., GrpcRunning],
    message: bytes,
    compression: grpc.Compression | None,
    text: str,
) -> None:
    """RESOURCE_EXHAUSTED without RetryInfo: a client must not send the same message again."""
    running = receiving()
    error = failure(lambda: running.export(message, compression))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert text in error.details()
    assert not error.trailing_metadata()
    assert running.observatory.client.health()["pending_bytes"] == 0
    running.export(ExportTraceServiceRequest().SerializeToString())


@pytest.mark.parametrize("message", [b"\x0a\xff", b"\x1f\x8bnot gzip"])
def test_an_unreadable_message_is_an_invalid_argument(
    receiving: Callable[..., GrpcRunning], message: bytes
) -> None:
    error = failure(lambda: receiving().export(message))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert len(error.details()) > 20


def test_an_unknown_method_or_compression_is_unimplemented(
    receiving: Callable[..., GrpcRunning],
) -> None:
    running = receiving()
    running.export(b"")
    unknown = running.channel.unary_unary(TRACES.replace("Export", "Import"))
    assert failure(lambda: unknown(b"", timeout=30)).code() is grpc.StatusCode.UNIMPLEMENTED
    deflated = failure(lambda: running.export(bytes(100), grpc.Compression.Deflate))
    assert deflated.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_client_that_gives_up_loses_nothing_and_leaks_nothing(
    receiving: Callable[..., GrpcRunning],
) -> None:
    """A message that arrived is stored, and holds its share of the budget until then."""
    running = receiving()
    running.export(b"")
    trace = purchase("order-1")
    call = running.channel.unary_unary(TRACES).future(trace.request().SerializeToString())
    eventually(
        lambda: call.done() or running.observatory.client.health()["pending_bytes"] > 0,
        "the message arrives",
    )
    call.cancel()
    health = running.observatory.client.health
    eventually(lambda: health()["spans"] == len(trace.spans), "the spans are stored")
    eventually(lambda: health()["pending_bytes"] == 0, "the budget is released")


def test_a_call_without_a_message_does_not_block_the_others(
    receiving: Callable[..., GrpcRunning],
) -> None:
    """A cut connection or a broken client ends with an error of its own."""
    running = receiving()
    running.export(b"")
    empty = running.channel.stream_unary(TRACES)
    for _ in range(6):
        error = failure(lambda: empty(iter(()), timeout=30))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    running.export(purchase("order-1").request().SerializeToString())


def test_a_grpc_client_on_the_http_port_is_told_the_right_port(tmp_path: Path) -> None:
    """The log names the port for gRPC once, however often the client tries."""
    options = ("--grpc-port", "0")
    with observatory_process(tmp_path / "spans.duckdb", *options) as (process, url):
        for _ in range(2):
            with grpc.insecure_channel(url.removeprefix("http://")) as channel:
                export = channel.unary_unary(TRACES)
                error = failure(lambda: export(b"", timeout=20))  # noqa: B023
            assert error.code() is grpc.StatusCode.UNAVAILABLE
            assert "http1.x server" in error.details()
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert log.count("A gRPC client (HTTP/2) connected to port") == 1
    assert f"connected to port {url.rpartition(':')[2]}, which is for OTLP/HTTP" in log
    assert "Send OTLP/gRPC to port " in log


def test_a_taken_grpc_port_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        data = str(tmp_path / "spans.duckdb")
        assert main(["--port", "0", "--grpc-port", str(port), "--data", data]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in line
    assert "--grpc-port" in line
    assert "--no-grpc" in line
    assert not Path(data).exists()


# test_overload.py has the case of HTTP, which shares the limits, in the fast suite.
@pytest.mark.long
@pytest.mark.measures
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports another process's peak")
def test_memory_stays_bounded_under_overload_over_grpc(tmp_path: Path) -> None:
    """Memory stays within HTTP's limits while 32 senders send messages of 14 MB, gzipped and plain.

    Every sender is refused or acknowledged, and all that was acknowledged is stored.
    """
    data = tmp_path / "spans.duckdb"
    body = bulk(14 * MB).request().SerializeToString()
    statuses: Counter[str] = Counter()
    acknowledged: list[str] = []

    def sender(address: str, compression: grpc.Compression | None) -> None:
        with grpc.insecure_channel(
            address,
            # Without it, the channels share one connection, which takes one message at a time.
            options=[("grpc.use_local_subchannel_pool", 1)],
        ) as channel:
            for _ in range(3):
                trace = purchase("order-1")
                message = body + trace.request().SerializeToString()
                try:
                    channel.unary_unary(TRACES)(message, timeout=60, compression=compression)
                except grpc.RpcError as error:
                    statuses[error.code().name] += 1
                else:
                    statuses["OK"] += 1
                    acknowledged.append(trace.trace_id.hex())

    address = f"127.0.0.1:{free_port()}"
    with observatory_process(data, "--grpc-port", address.partition(":")[2]) as (process, _):
        sender(address, None)
        before = peak_bytes(process)
        with ThreadPoolExecutor(32) as senders:
            compressions = [grpc.Compression.Gzip if number % 4 else None for number in range(32)]
            list(senders.map(sender, [address] * 32, compressions))
        growth_bytes = peak_bytes(process) - before
    assert statuses.keys() <= {"OK", "UNAVAILABLE"}
    assert statuses["UNAVAILABLE"] > 0
    assert growth_bytes < GROWTH_LIMIT_BYTES, f"{growth_bytes // MB} MB more than before"
    with duckdb.connect(data) as connection:
        stored = dict(
            connection.execute("select trace_id, count(*) from raw_spans group by all").fetchall()
        )
    assert {stored.get(trace_id) for trace_id in acknowledged} == {len(purchase("order-1").spans)}
