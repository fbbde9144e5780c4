"""A real HTTP server on a free port, that answers as a test wants and keeps what it was asked."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request that arrived; header names are lowercase."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Asked], int | tuple[int, bytes, dict[str, str]]]


class LocalServer:
    """Answers each request with the status that `answer` returns, or status, body and headers.

    Use it with `serving`.
    """

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self.asked: list[Asked] = []
        self._arrived = threading.Condition()
        local = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                sent = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, sent, self.rfile.read(length))
                with local._arrived:
                    local.asked.append(asked)
                    local._arrived.notify_all()
                answered = answer(asked)
                status, body, headers = (
                    answered if isinstance(answered, tuple) else (answered, b"", {})
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET
            do_PATCH = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing on stderr."""

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def wait_for(self, count: int, seconds: float = 20) -> list[Asked]:
        """The requests so far once there are `count`; fails when there aren't in time."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.asked) >= count, seconds)
        assert arrived, f"{len(self.asked)} requests in {seconds} s, not {count}"
        return self.asked


@contextmanager
def serving(answer: Answer = lambda _: 200, port: int = 0) -> Iterator[LocalServer]:
    """Run a LocalServer while the block runs; `port` 0 is any free one."""
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
    """The address of something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def eventually(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait until `condition()` is true; fails, naming `what`, when it isn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
