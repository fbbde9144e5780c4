"""A proxy that keeps a program's HTTPS requests on this machine.

It accepts CONNECT only. Addresses that it has a route for are connected to; every other one is
refused and recorded, so that a program which calls an API that is not simulated is noticed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

HEAD_TIMEOUT_SECONDS = 10.0
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

_log = logging.getLogger(__name__)


class EgressProxy:
    """Connects clients to where `route(host)` says; None: the host is refused."""

    def __init__(self, route: Callable[[str], tuple[str, int] | None]) -> None:
        self._route = route
        self.refused: list[str] = []

    async def serve(self, port: int) -> asyncio.Server:
        """Listen on a port of the loopback interface."""
        return await asyncio.start_server(self._accept, "127.0.0.1", port)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled when the program ends; asyncio's streams would log that as an error.
        ended = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
        with contextlib.suppress(OSError, *ended):
            try:
                async with asyncio.timeout(HEAD_TIMEOUT_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                await self._connect(head, reader, writer)
            except TimeoutError:
                pass
            finally:
                writer.close()

    async def _connect(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        method, _, rest = head.decode("latin-1").partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        if method != "CONNECT" or not port.isdigit():
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        target = (host, int(port)) if host in LOCAL_HOSTS else self._route(host)
        if target is None:
            if host not in self.refused:
                self.refused.append(host)
                _log.warning("Refused a connection to %s", host)
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        try:
            target_reader, target_writer = await asyncio.open_connection(*target)
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
        try:
            await asyncio.gather(_copy(reader, target_writer), _copy(target_reader, writer))
        finally:
            target_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
