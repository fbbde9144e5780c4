"""A real HTTP server on a free port, with answers that a test chooses and a list of requests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that the server received; header names are lowercase."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[ReceivedRequest], int | tuple[int, bytes, dict[str, str]]]


class LocalServer:
    """Answers each request with what `answer` returns: a status, or status, body and headers.

    Start it with `serving`.
    """

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self.requests: list[ReceivedRequest] = []
        self._arrived = threading.Condition()
        local = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                fields = {name.lower(): value for name, value in self.headers.items()}
                request = ReceivedRequest(self.command, self.path, fields, self.rfile.read(length))
                with local._arrived:
                    local.requests.append(request)
                    local._arrived.notify_all()
                result = answer(request)
                status, body, headers = result if isinstance(result, tuple) else (result, b"", {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET
            do_PATCH = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Keep stderr quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def wait_for(self, count: int, seconds: float = 20) -> list[ReceivedRequest]:
        """Wait until `count` requests have arrived and return all of them; fail after `seconds`."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.requests) >= count, seconds)
        assert arrived, f"{len(self.requests)} requests in {seconds} s, not {count}"
        return self.requests


@contextmanager
def serving(answer: Answer = lambda _: 200, port: int = 0) -> Iterator[LocalServer]:
    """Run a LocalServer during the block; `port` 0 means any free port."""
    server = LocalServer(answer, port)
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        thread.join()
        server.http.server_close()


@contextmanager
def silent() -> Iterator[str]:
    """Yield the URL of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Return whether a process listens on a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def eventually(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait until `condition()` is true; fail with `what` in the message after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
