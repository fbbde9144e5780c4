"""The rules monitor as a process, with an emulator that restarts and an unreliable receiver.

The emulator is a fake websocket server, because the real one cannot be made to close connections
and to send given messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from websockets.sync.server import Server, ServerConnection, serve

from observatory.receive.wire import ExportTraceServiceRequest, ExportTraceServiceResponse
from observatory.rules_monitor import exporter as exporter_module
from observatory.rules_monitor.exporter import Exporter
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.rules_messages import TRACE_ID, allowed, denied, first_try, message

DEADLINE_SECONDS = 20.0


class Emulator:
    """A fake emulator: sends its messages to each client, then closes or keeps the connection."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.keeps_connections = False
        self.paths: list[str] = []
        self._server: Server = serve(self._serve, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        self.paths.append(connection.request.path if connection.request else "")
        connection.send(json.dumps(self.messages))
        if self.keeps_connections:
            with contextlib.suppress(Exception):
                connection.recv()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.stop()


class Receiver:
    """Responds to OTLP with the given statuses, repeating the last, and records accepted spans."""

    def __init__(self, *statuses: int, body: bytes = b"") -> None:
        self.spans: list[str] = []
        self.request_count = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                status = statuses[min(outer.request_count, len(statuses) - 1)]
                outer.request_count += 1
                if status == 200:
                    request = ExportTraceServiceRequest.FromString(content)
                    scope = request.resource_spans[0].scope_spans[0]
                    outer.spans += [span.name for span in scope.spans]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def start_receiver() -> Iterator[Callable[..., Receiver]]:
    """A function that starts receivers; each is stopped when the test ends."""
    started: list[Receiver] = []

    def start(*statuses: int, body: bytes = b"") -> Receiver:
        started.append(Receiver(*statuses, body=body))
        return started[-1]

    yield start
    for receiver in started:
        receiver.stop()


@contextlib.contextmanager
def monitor(emulator: str, otlp: str) -> Iterator[subprocess.Popen[str]]:
    """Run the monitor as a process; stop it with SIGTERM at the end."""
    command = [sys.executable, "-m", "observatory.rules_monitor", "--emulator", emulator]
    process = subprocess.Popen(
        [*command, "--otlp", otlp], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE_SECONDS)
        for pipe in (process.stdout, process.stderr):
            if pipe and not pipe.closed:
                pipe.close()


def wait_for(condition: Callable[[], bool], description: str) -> None:
    """Wait until the condition holds; fail after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, description
        time.sleep(0.02)


def test_repeated_messages_are_exported_once(emulator: Emulator, running: Running) -> None:
    """The emulator closes each connection and repeats its messages on the next; new ones are not
    missed.
    """
    emulator.messages = [first_try(), allowed(), denied(seats=9)]
    with monitor(emulator.url, running.url):
        wait_for(lambda: running.client.health()["spans"] == 2, "two decisions")
        emulator.messages = [*emulator.messages, denied(seats=0)]
        wait_for(lambda: running.client.health()["spans"] == 3, "the third")
        connections = len(emulator.paths)
        wait_for(lambda: len(emulator.paths) > connections + 1, "it connects again")
        assert running.client.health()["spans"] == 3
    assert set(emulator.paths) == {"/requests"}
    names = sorted(row["name"] for row in running.client.trace(TRACE_ID)["rows"])
    assert names == ["create orders allowed", "create orders denied", "create orders denied"]


def test_a_restarted_monitor_sends_the_same_spans(emulator: Emulator, running: Running) -> None:
    """Repeated decisions are sent again with the same span ids."""
    emulator.messages, emulator.keeps_connections = [allowed(), denied(seats=9)], True
    with monitor(emulator.url, running.url):
        wait_for(lambda: running.client.health()["spans"] == 2, "both")
    before = running.client.health()["revision"]
    with monitor(emulator.url, running.url):
        wait_for(lambda: running.client.health()["revision"] != before, "they are sent again")
    assert running.client.health()["spans"] == 2
    assert running.client.trace(TRACE_ID)["spans"] == 2


def test_the_monitor_waits_for_an_emulator_to_start(running: Running) -> None:
    """It can be stopped with exit code 0 while it waits."""
    with monitor("ws://127.0.0.1:9", running.url) as process:
        assert process.stderr is not None
        warning = process.stderr.readline()
        assert "no rules decisions from ws://127.0.0.1:9" in warning
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_SECONDS) == 0


def test_held_decisions_are_sent_on_shutdown(emulator: Emulator, running: Running) -> None:
    """A decision that may be followed by another evaluation is sent when the monitor stops."""
    undecided = message("deny", "update", allows=[])
    emulator.messages, emulator.keeps_connections = [denied(seats=9), undecided], True
    with monitor(emulator.url, running.url):
        wait_for(lambda: running.client.health()["spans"] == 1, "the first")
    wait_for(lambda: running.client.health()["spans"] == 2, "the one held")


@pytest.fixture
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_module, "BACKOFF_SECONDS", (0.01, 0.02))
    monkeypatch.setattr(exporter_module, "DELAY_SECONDS", 0.01)


@contextlib.asynccontextmanager
async def running_exporter(exporter: Exporter) -> AsyncIterator[None]:
    task = asyncio.create_task(exporter.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("short_delays")
def test_spans_are_retried_while_the_receiver_is_busy(
    start_receiver: Callable[..., Receiver],
) -> None:
    """They are sent until accepted, in order and once."""
    receiver = start_receiver(503, 429, 200)
    exporter = Exporter(receiver.url)

    async def scenario() -> None:
        async with running_exporter(exporter):
            for name in "abc":
                exporter.put(Span(name=name))
            # Wait until the receiver has accepted them.
            await eventually(lambda: exporter.pending == 0)

    asyncio.run(scenario())
    assert (receiver.spans, exporter.dropped) == (["a", "b", "c"], 0)


@pytest.mark.usefixtures("short_delays")
def test_the_queue_is_bounded_and_losses_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Without a receiver, the newest spans are kept, and the oldest are dropped and counted."""
    exporter = Exporter("http://127.0.0.1:9", queue_spans=2)

    async def scenario() -> None:
        for name in "abcde":
            exporter.put(Span(name=name))
        async with running_exporter(exporter):
            await asyncio.sleep(0.2)
            for name in "fgh":
                exporter.put(Span(name=name))
        assert exporter.pending == 2
        await exporter.flush()

    asyncio.run(scenario())
    assert (exporter.dropped, exporter.pending) == (8, 0)
    assert len([line for line in caplog.messages if "dropping" in line]) == 1


@pytest.mark.usefixtures("short_delays")
def test_a_batch_in_flight_at_shutdown_is_not_lost() -> None:
    """The batch has not been accepted yet, so it is put back into the queue."""

    async def scenario() -> Exporter:
        request_count = asyncio.Event()

        async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            request_count.set()
            await reader.read()
            writer.close()

        server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
        exporter = Exporter(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with server, running_exporter(exporter):
            exporter.put(Span(name="a"))
            await request_count.wait()
            assert exporter.pending == 1
        return exporter

    exporter = asyncio.run(scenario())
    assert (exporter.dropped, exporter.pending) == (0, 1)


@pytest.mark.usefixtures("short_delays")
def test_permanently_rejected_spans_are_not_retried(
    start_receiver: Callable[..., Receiver], caplog: pytest.LogCaptureFixture
) -> None:
    """Dropped are spans refused with a 400, and those rejected in a partial success."""
    always_400 = start_receiver(400)
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = 1
    response.partial_success.error_message = "a span is too large"
    partial_success = start_receiver(200, body=response.SerializeToString())

    async def scenario(receiver: Receiver) -> Exporter:
        exporter = Exporter(receiver.url)
        async with running_exporter(exporter):
            exporter.put(Span(name="a"))
            exporter.put(Span(name="b"))
            await eventually(lambda: exporter.dropped > 0)
        return exporter

    assert asyncio.run(scenario(always_400)).dropped == 2
    assert always_400.request_count == 1
    assert asyncio.run(scenario(partial_success)).dropped == 1
    assert "responded with status 400" in caplog.text
    assert "a span is too large" in caplog.text
