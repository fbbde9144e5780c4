"""Posts to an OTLP endpoint over connections that stay open, in two steps: send, then wait.

A thread can so send spans and log records before it waits for either answer, without a second
thread. OpenTelemetry's exporters post with `requests`, which takes a millisecond of processor time
for each request; this takes less than a tenth of that.
"""

from __future__ import annotations

import gzip
import http.client
import io
import os
import select
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

# Exports overlap, up to one per thread of the server.
_IDLE_CONNECTIONS_MAX = 64
# An OTLP answer is at most a short message.
_BODY_MAX_BYTES = 65_536
_LINE_MAX_BYTES = 65_536
_FIELDS_MAX = 100
_WITHOUT_BODY = frozenset({204, 304})

_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


def _uncompressed(body: bytes) -> bytes:
    return body


class Answer(NamedTuple):
    """An endpoint's answer; `status` 0 means that there was none within the time-out."""

    status: int
    body: bytes = b""
    content_type: str = ""
    #: The header as it was sent, or "".
    retry_after: str = ""


NO_ANSWER = Answer(0)


class Endpoint:
    """One URL that accepts OTLP over HTTP.

    `timeout_seconds` bounds a post as a whole, however slowly the endpoint answers. `compression`
    is "gzip", "deflate" or empty. Thread-safe; posts overlap, each on a connection of its own.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        timeout_seconds: float,
        compression: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        address = urlsplit(url)
        self._is_https = address.scheme == "https"
        self._host, self._port = address.hostname or "", address.port
        #: Returns a body in the compression of this endpoint.
        self.compress = _COMPRESS.get(compression, _uncompressed)
        self.url = url
        self.timeout_seconds = timeout_seconds
        #: The headers of a post, without those of HTTP itself.
        self.headers = {
            "content-type": "application/x-protobuf",
            **({"content-encoding": compression} if compression in _COMPRESS else {}),
            **headers,
        }
        fields = {"host": address.netloc.rpartition("@")[2], **self.headers}
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        # A line break in a header would be another header.
        lines = [line.replace("\r", " ").replace("\n", " ") for line in lines]
        self._head = "\r\n".join([*lines, "content-length: "]).encode("latin-1", "replace")
        self._tls = tls
        self._forget_connections()
        os.register_at_fork(after_in_child=self._forget_connections)

    def _forget_connections(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    def post(self, body: bytes) -> Callable[[], Answer]:
        """Send `body`, and return a function that waits for the answer. Neither raises."""
        body = self.compress(body)
        deadline = time.monotonic() + self.timeout_seconds
        kept = self._kept_connection()
        sent = self._sent(kept, body, deadline) if kept else None
        # The endpoint may have closed a connection that was kept, so a new one is tried.
        is_kept = sent is not None
        if sent is None:
            sent = self._sent(self._new_connection(), body, deadline)

        def wait() -> Answer:
            answer = self._answer(sent, deadline) if sent else None
            if answer is None and is_kept and time.monotonic() < deadline:
                again = self._sent(self._new_connection(), body, deadline)
                answer = self._answer(again, deadline) if again else None
            return answer or NO_ANSWER

        return wait

    def _kept_connection(self) -> http.client.HTTPConnection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            # Readable without a request means that the endpoint closed it.
            if not _is_readable(connection.sock):
                return connection
            connection.close()

    def _new_connection(self) -> http.client.HTTPConnection:
        if self._is_https:
            return http.client.HTTPSConnection(self._host, self._port, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port)

    def _sent(
        self, connection: http.client.HTTPConnection, body: bytes, deadline: float
    ) -> http.client.HTTPConnection | None:
        """Send a request on a connection and return it, or None if that fails."""
        try:
            connection.timeout = _remaining(deadline)
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(_remaining(deadline))
            connection.sock.sendall(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            return None
        return connection

    def _answer(self, connection: http.client.HTTPConnection, deadline: float) -> Answer | None:
        """Return the answer to the request on a connection, or None if that fails."""
        try:
            response = _Response(connection.sock, deadline)
            response.begin()
            is_short = response.length is not None and response.length <= _BODY_MAX_BYTES
            # Without a limit, `read` raises if the body is cut off.
            body = response.read() if is_short else response.read(_BODY_MAX_BYTES)
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            return None
        with self._lock:
            is_whole = response.isclosed() and not response.will_close
            is_kept = is_whole and len(self._idle) < _IDLE_CONNECTIONS_MAX
            if is_kept:
                self._idle.append(connection)
        if not is_kept:
            connection.close()
        fields = response.fields
        return Answer(
            response.status, body, fields.get("content-type", ""), fields.get("retry-after", "")
        )


class _Response(http.client.HTTPResponse):
    """A response that is read until a deadline, not with a time-out for each read.

    Its header fields are in `fields`, by lowercase name. http.client parses them as an e-mail's,
    which takes longer than all else that an export does over HTTP.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__(sock)
        self.fp = io.BufferedReader(_UntilDeadline(sock, self.fp, deadline))
        self.fields: dict[str, str] = {}

    def begin(self) -> None:
        """Read the status and the header fields."""
        version, self.status, self.reason = self._read_status()  # type: ignore[attr-defined]
        while (line := self.fp.readline(_LINE_MAX_BYTES)).strip():
            name, _, value = line.decode("latin-1").partition(":")
            self.fields[name.strip().lower()] = value.strip()
            if len(self.fields) > _FIELDS_MAX or not line.endswith(b"\n"):
                raise http.client.HTTPException("too many or too long header fields")
        connection = self.fields.get("connection", "").lower()
        self.chunked = self.fields.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        length = self.fields.get("content-length", "")
        self.length = int(length) if length.isdecimal() and not self.chunked else None
        if self.status in _WITHOUT_BODY:
            self.length = 0
        is_delimited = self.chunked or self.length is not None
        is_old = version == "HTTP/1.0" and "keep-alive" not in connection
        self.will_close = is_old or "close" in connection or not is_delimited


class _UntilDeadline(io.RawIOBase):
    """The bytes that a socket receives before a deadline.

    `file` is the socket's own, which keeps it open until the whole response is read.
    """

    def __init__(self, sock: socket.socket, file: io.IOBase, deadline: float) -> None:
        self._sock = sock
        self._file = file
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_remaining(self._deadline))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _is_readable(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining
