"""The rules monitor as a process: between an emulator that restarts and an Observatory that isn't
always there.

The emulator is a websocket server of the test's own, because a real one can't be made to hang up
and to hold just the messages that a test is about.
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
from observatory.rules_monitor import deliver
from observatory.rules_monitor.deliver import Delivery
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.rules_messages import TRACE_ID, allowed, denied, first_try, message

DEADLINE_SECONDS = 20.0


class Emulator:
    """Sends what it holds to whoever connects, then hangs up or holds on."""

    def __init__(self) -> None:
        self.held: list[Any] = []
        self.holds_on = False
        self.paths: list[str] = []
        self._server: Server = serve(self._serve, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        self.paths.append(connection.request.path if connection.request else "")
        connection.send(json.dumps(self.held))
        if self.holds_on:
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
    """Answers OTLP with the given statuses, the last of them for ever, and keeps what it took."""

    def __init__(self, *statuses: int, body: bytes = b"") -> None:
        self.spans: list[str] = []
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                status = statuses[min(outer.asked, len(statuses) - 1)]
                outer.asked += 1
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
def receiving() -> Iterator[Callable[..., Receiver]]:
    """Starts receivers; each is stopped when the test ends."""
    started: list[Receiver] = []

    def start(*statuses: int, body: bytes = b"") -> Receiver:
        started.append(Receiver(*statuses, body=body))
        return started[-1]

    yield start
    for receiver in started:
        receiver.stop()


@contextlib.contextmanager
def monitor(emulator: str, otlp: str) -> Iterator[subprocess.Popen[str]]:
    """The monitor as people run it; ended in good order."""
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


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return once the condition holds; fails when it doesn't in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_repeated_messages_are_delivered_once(emulator: Emulator, running: Running) -> None:
    """It hangs up after every message and sends all again; the new one is not missed."""
    emulator.held = [first_try(), allowed(), denied(seats=9)]
    with monitor(emulator.url, running.url):
        wait_for(lambda: running.client.health()["spans"] == 2, "two decisions")
        emulator.held = [*emulator.held, denied(seats=0)]
        wait_for(lambda: running.client.health()["spans"] == 3, "the third")
        heard = len(emulator.paths)
        wait_for(lambda: len(emulator.paths) > heard + 1, "it connects again")
        assert running.client.health()["spans"] == 3
    assert set(emulator.paths) == {"/requests"}
    names = sorted(row["name"] for row in running.client.trace(TRACE_ID)["rows"])
    assert names == ["create orders allowed", "create orders denied", "create orders denied"]


def test_a_restarted_monitor_sends_the_same_spans(emulator: Emulator, running: Running) -> None:
    """It sends again what it hears again, under the ids that it had."""
    emulator.held, emulator.holds_on = [allowed(), denied(seats=9)], True
    with monitor(emulator.url, running.url):
        wait_for(lambda: running.client.health()["spans"] == 2, "both")
    before = running.client.health()["revision"]
    with monitor(emulator.url, running.url):
        wait_for(lambda: running.client.health()["revision"] != before, "they are sent again")
    assert running.client.health()["spans"] == 2
    assert running.client.trace(TRACE_ID)["spans"] == 2


def test_the_monitor_waits_for_an_emulator_to_start(running: Running) -> None:
    """And the end is in good order all the same."""
    with monitor("ws://127.0.0.1:9", running.url) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "no rules decisions from ws://127.0.0.1:9" in said
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_SECONDS) == 0


def test_held_decisions_are_sent_on_shutdown(emulator: Emulator, running: Running) -> None:
    """What waits for another evaluation is a decision when nothing more is heard."""
    waits = message("deny", "update", allows=[])
    emulator.held, emulator.holds_on = [denied(seats=9), waits], True
    with monitor(emulator.url, running.url):
        wait_for(lambda: running.client.health()["spans"] == 1, "the first")
    wait_for(lambda: running.client.health()["spans"] == 2, "the one held")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "BACKOFF_SECONDS", (0.01, 0.02))
    monkeypatch.setattr(deliver, "DELAY_SECONDS", 0.01)


@contextlib.asynccontextmanager
async def delivering(delivery: Delivery) -> AsyncIterator[None]:
    task = asyncio.create_task(delivery.run())
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


@pytest.mark.usefixtures("quick")
def test_spans_are_retried_while_the_receiver_is_busy(receiving: Callable[..., Receiver]) -> None:
    """Sent again until they are taken, in order, once."""
    receiver = receiving(503, 429, 200)
    delivery = Delivery(receiver.url)

    async def scene() -> None:
        async with delivering(delivery):
            for name in "abc":
                delivery.put(Span(name=name))
            # Not until the receiver has them: its answer comes later.
            await eventually(lambda: delivery.waiting == 0)

    asyncio.run(scene())
    assert (receiver.spans, delivery.dropped) == (["a", "b", "c"], 0)


@pytest.mark.usefixtures("quick")
def test_the_queue_is_bounded_and_losses_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens: the newest stay, the oldest are dropped and counted."""
    delivery = Delivery("http://127.0.0.1:9", queue_spans=2)

    async def scene() -> None:
        for name in "abcde":
            delivery.put(Span(name=name))
        async with delivering(delivery):
            await asyncio.sleep(0.2)
            for name in "fgh":
                delivery.put(Span(name=name))
        assert delivery.waiting == 2
        await delivery.flush()

    asyncio.run(scene())
    assert (delivery.dropped, delivery.waiting) == (8, 0)
    assert len([line for line in caplog.messages if "dropped" in line]) == 1


@pytest.mark.usefixtures("quick")
def test_a_batch_in_flight_at_shutdown_is_not_lost() -> None:
    """Nobody has answered for it yet, so it waits again, to be sent once more."""

    async def scene() -> Delivery:
        asked = asyncio.Event()

        async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            asked.set()
            await reader.read()
            writer.close()

        server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
        delivery = Delivery(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with server, delivering(delivery):
            delivery.put(Span(name="a"))
            await asked.wait()
            assert delivery.waiting == 1
        return delivery

    delivery = asyncio.run(scene())
    assert (delivery.dropped, delivery.waiting) == (0, 1)


@pytest.mark.usefixtures("quick")
def test_permanently_rejected_spans_are_not_retried(
    receiving: Callable[..., Receiver], caplog: pytest.LogCaptureFixture
) -> None:
    """A 400 would be one for ever; what a receiver rejects of a batch counts too."""
    refusing = receiving(400)
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 1
    answer.partial_success.error_message = "one was odd"
    picky = receiving(200, body=answer.SerializeToString())

    async def scene(receiver: Receiver) -> Delivery:
        delivery = Delivery(receiver.url)
        async with delivering(delivery):
            delivery.put(Span(name="a"))
            delivery.put(Span(name="b"))
            await eventually(lambda: delivery.dropped > 0)
        return delivery

    assert asyncio.run(scene(refusing)).dropped == 2
    assert refusing.asked == 1
    assert asyncio.run(scene(picky)).dropped == 1
    assert "answered 400" in caplog.text
    assert "one was odd" in caplog.text
