"""Tell gRPC clients that connect to the HTTP port which port to use.

The server speaks HTTP/1.1 only. An HTTP/2 connection begins with a fixed preface (RFC 9113, section
3.4), so such a client is recognised by its first bytes.
"""

import asyncio
import logging
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PREFACE = b"PRI * HTTP/2.0\r\n"
LOG_INTERVAL_SECONDS = 60.0

log = logging.getLogger(__name__)


def http_protocol(port: int, grpc_port: int | None) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol, which in addition answers HTTP/2 clients with an explanation.

    The explanation is logged too, at most once a minute, because exporters retry.

    Args:
        port: the port on which the protocol is used.
        grpc_port: the port for OTLP/gRPC; None if gRPC is turned off.
    """
    use = (
        f"Send OTLP/gRPC to port {grpc_port}"
        if grpc_port is not None
        else "Start the Observatory with --grpc-port 4317"
    )
    explanation = (
        f"A gRPC client (HTTP/2) connected to port {port}, which is for OTLP/HTTP. {use}, or set "
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf in the client."
    )
    last_logged = -LOG_INTERVAL_SECONDS

    class Protocol(HttpToolsProtocol):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._began = False

        def data_received(self, data: bytes) -> None:
            began, self._began = self._began, True
            if began or not data.startswith(PREFACE):
                super().data_received(data)
                return
            nonlocal last_logged
            if time.monotonic() - last_logged >= LOG_INTERVAL_SECONDS:
                last_logged = time.monotonic()
                log.warning(explanation)
            self.transport.write(_bad_request(explanation))
            self.transport.close()

    return Protocol


def _bad_request(text: str) -> bytes:
    # In HTTP/1.1, from which gRPC clients recognise the mistake and back off. After a GOAWAY frame,
    # which could carry the text, they would reconnect at once.
    body = f"{text}\n".encode()
    return (
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body
