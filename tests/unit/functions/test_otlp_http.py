"""Posts to endpoints that answer, answer slowly, close connections, or answer nonsense."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.unit.local_server import free_port, serving, silent
from throughline.otlp_http import NO_ANSWER, Endpoint

TIMEOUT_SECONDS = 0.5
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: x/y\r\n\r\nok"


def endpoint(url: str) -> Endpoint:
    """Return an endpoint with a short time-out."""
    return Endpoint(f"{url}/v1/traces", {"x-key": "k"}, TIMEOUT_SECONDS)


@contextlib.contextmanager
def raw(serve: Callable[[socket.socket, int], object]) -> Iterator[str]:
    """Serve each connection with `serve(connection, its number)`, in a thread; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def connection(accepted: socket.socket, number: int) -> None:
            with accepted, contextlib.suppress(OSError):
                serve(accepted, number)

        def accept() -> None:
            number = 0
            with contextlib.suppress(OSError):
                while True:
                    accepted = listener.accept()[0]
                    threading.Thread(
                        target=connection, args=(accepted, number), daemon=True
                    ).start()
                    number += 1

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def request_on(connection: socket.socket) -> bytes:
    """Return one whole request of a body of five bytes; b"" at the end of the connection."""
    received = b""
    while not received.endswith(b"\r\n\r\nspans"):
        more = connection.recv(65536)
        if not more:
            return b""
        received += more
    return received


def answer_all(connection: socket.socket, _number: int) -> None:
    """Answer every request on a connection."""
    while request_on(connection):
        connection.sendall(OK)


def test_a_post_is_answered() -> None:
    """Status, body, content type and Retry-After arrive; the headers were sent."""
    headers = {"Content-Type": "text/plain", "Retry-After": "7"}
    with serving(lambda _: (202, b"body", headers)) as server:
        answer = endpoint(server.url).post(b"spans")()
        (request,) = server.requests
    assert answer == (202, b"body", "text/plain", "7")
    assert (request.path, request.body, request.headers["x-key"]) == ("/v1/traces", b"spans", "k")


def test_posts_in_sequence_share_a_connection_and_overlapping_ones_do_not() -> None:
    """Two posts that wait at the same time take two connections, which are kept."""
    numbers = set()

    def serve(connection: socket.socket, number: int) -> None:
        numbers.add(number)
        answer_all(connection, number)

    with raw(serve) as url:
        traces = endpoint(url)
        for _ in range(3):
            assert traces.post(b"spans")().status == 200
        assert numbers == {0}
        for _ in range(3):
            first, second = traces.post(b"spans"), traces.post(b"spans")
            assert (first().status, second().status) == (200, 200)
    assert numbers == {0, 1}


def test_a_body_in_chunks_arrives_whole_and_its_connection_is_kept() -> None:
    """As behind a proxy."""
    numbers = set()
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"
    )

    def serve(connection: socket.socket, number: int) -> None:
        numbers.add(number)
        while request_on(connection):
            connection.sendall(chunked)

    with raw(serve) as url:
        traces = endpoint(url)
        assert [traces.post(b"spans")().body for _ in range(2)] == [b"body"] * 2
    assert numbers == {0}


def test_a_line_break_in_a_header_does_not_begin_another() -> None:
    """A secret that was pasted with its line break still works."""
    with serving() as server:
        header = {"authorization": "Bearer x\r\nx-injected: y"}
        Endpoint(server.url, header, TIMEOUT_SECONDS).post(b"spans")()
        (request,) = server.requests
    assert "x-injected" not in request.headers


@pytest.mark.parametrize("when", ["after an answer", "after the next request"])
def test_a_connection_that_the_endpoint_closed_is_replaced(when: str) -> None:
    """An instance that slept, or an endpoint that restarted, costs no export."""

    def serve(connection: socket.socket, number: int) -> None:
        request_on(connection)
        connection.sendall(OK)
        if number == 0 and when == "after the next request":
            request_on(connection)
        elif number:
            answer_all(connection, number)

    with raw(serve) as url:
        traces = endpoint(url)
        assert [traces.post(b"spans")().status for _ in range(3)] == [200] * 3


def test_no_answer_from_a_port_without_a_server() -> None:
    assert endpoint(f"http://127.0.0.1:{free_port()}").post(b"spans")() == NO_ANSWER


def drip(connection: socket.socket, _number: int) -> None:
    """Answer one byte at a time, without an end."""
    request_on(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-endless: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


@pytest.mark.measures
@pytest.mark.parametrize("serves", ["nothing", "a byte at a time"])
def test_the_timeout_bounds_a_post_as_a_whole(serves: str) -> None:
    """An endpoint that sends a byte now and then does not prolong it."""
    with silent() if serves == "nothing" else raw(drip) as url:
        began = time.monotonic()
        assert endpoint(url).post(b"spans")() == NO_ANSWER
        took = time.monotonic() - began
    assert 0.9 * TIMEOUT_SECONDS < took < 3 * TIMEOUT_SECONDS


@pytest.mark.parametrize(
    "nonsense",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"],
    ids=["another protocol", "the end of the connection", "a body that is cut off"],
)
def test_nonsense_is_no_answer(nonsense: bytes) -> None:
    def serve(connection: socket.socket, _number: int) -> None:
        request_on(connection)
        connection.sendall(nonsense)

    with raw(serve) as url:
        assert endpoint(url).post(b"spans")() == NO_ANSWER


def test_an_endless_body_is_cut() -> None:
    """Its connection is not used again."""
    with serving(lambda _: (200, b"x" * 10**6, {})) as server:
        answer = endpoint(server.url).post(b"spans")()
    assert (answer.status, len(answer.body)) == (200, 65_536)
