"""Serves the functions as Cloud Run would, outside the emulator, with fake Firestore and endpoints.

Functions Framework runs each function with one worker and eight threads. The fake Firestore
responds at once, so that the functions are small and what tracing adds is a large part.

    python -m benchmarks.function_servers firestore PORT
    python -m benchmarks.function_servers otlp PORT DELAY_MS

run the two fake servers, each in its own process.
"""

from __future__ import annotations

import asyncio
import functools
import http.client
import os
import socket
import sys
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack import paths
from stack.errors import UserError
from stack.local.addresses import HOST
from stack.local.processes import Processes, wait_until

PROJECT = "demo-throughline"
THREADS = 8
READY_SECONDS = 120.0
# Replaces the processor that finds each span's line of source, and then runs Functions Framework.
_WITHOUT_CODE_ATTRIBUTES = (
    "from throughline.code_attributes import CodeAttributes\n"
    "CodeAttributes.on_start = lambda *arguments, **options: None\n"
    "from functions_framework._cli import _cli\n"
    "_cli()\n"
)
_SHOW: dict[str, int | str] = {
    "price_cents": 2500,
    "currency": "EUR",
    "seats_left": 40,
    "seats_total": 60,
}


@dataclass(frozen=True)
class Request:
    """The request with which a function is called."""

    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A function that is being served; `process` is the name of its process."""

    function: str
    process: str
    port: int
    request: Request


def start_function(  # noqa: PLR0913  (each given by name)
    processes: Processes,
    folder: Path,
    firestore: str,
    *,
    function: str,
    variant: str,
    request: Request,
    environment: dict[str, str],
    is_event: bool = False,
    code_attributes: bool = True,
) -> Server:
    """Start one function's server; `until_ready` waits for it."""
    server = Server(function, f"{function} ({variant})", free_port(), request)
    settings = {
        **os.environ,
        "FUNCTION_TARGET": function,
        "FUNCTION_SIGNATURE_TYPE": "cloudevent" if is_event else "http",
        "GCLOUD_PROJECT": PROJECT,
        "FIRESTORE_EMULATOR_HOST": firestore,
        "THREADS": str(THREADS),
        **environment,
    }
    settings.pop("PYTHONPATH", None)
    programs = paths.FUNCTIONS / "venv" / "bin"
    if code_attributes:
        command = [str(programs / "functions-framework")]
    else:
        command = [str(programs / "python"), "-c", _WITHOUT_CODE_ATTRIBUTES]
    command += ["--source", "main.py", "--host", HOST, "--port", str(server.port)]
    log = folder / f"{function}-{variant}.log"
    processes.start(server.process, command, settings, log, paths.FUNCTIONS)
    return server


def until_ready(server: Server, processes: Processes) -> None:
    """Wait until the function answers."""
    is_ready = functools.partial(_answers, server)
    wait_until(is_ready, server.process, processes, READY_SECONDS)


def _answers(server: Server) -> bool:
    try:
        connection = http.client.HTTPConnection(HOST, server.port, timeout=READY_SECONDS)
        try:
            call(connection, server)
        finally:
            connection.close()
    except (OSError, UserError, http.client.HTTPException):
        return False
    return True


def call(connection: http.client.HTTPConnection, server: Server) -> None:
    """Call the function and read its answer; raise UserError unless its status is 200."""
    request = server.request
    connection.request(request.method, request.path, request.body or None, request.headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise UserError(f"{server.process} answered {response.status}: {body[:200]!r}.")


def start_fake(processes: Processes, folder: Path, kind: str, *numbers: int) -> str:
    """Start a fake server of the given kind and return its host and port."""
    port = free_port()
    name = "-".join(map(str, ("fake", kind, *numbers)))
    command = [str(paths.python_in(paths.VENV)), "-m", "benchmarks.function_servers"]
    processes.start(
        name,
        [*command, kind, str(port), *map(str, numbers)],
        {**os.environ, "PYTHONPATH": str(paths.ROOT / "scripts")},
        folder / f"{name}.log",
        paths.ROOT,
    )
    return f"{HOST}:{port}"


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def serve_firestore(port: int) -> None:
    """Serve a fake Firestore over gRPC that finds one show, and accepts every write."""
    import grpc  # noqa: PLC0415
    from google.cloud.firestore_v1 import types  # noqa: PLC0415
    from google.protobuf.timestamp_pb2 import Timestamp  # noqa: PLC0415

    def value_of(value: int | str) -> types.Value:
        is_integer = isinstance(value, int)
        return types.Value(integer_value=value) if is_integer else types.Value(string_value=value)

    def time_now() -> Timestamp:
        now = Timestamp()
        now.GetCurrentTime()
        return now

    def batch_get(request: types.BatchGetDocumentsRequest, _context: object) -> Any:
        now = time_now()
        for name in request.documents:
            fields = {key: value_of(value) for key, value in _SHOW.items()}
            document = types.Document(name=name, fields=fields, create_time=now, update_time=now)
            yield types.BatchGetDocumentsResponse(found=document, read_time=now)

    def commit(request: types.CommitRequest, _context: object) -> types.CommitResponse:
        now = time_now()
        results = [types.WriteResult(update_time=now) for _ in request.writes]
        return types.CommitResponse(write_results=results, commit_time=now)

    methods = {
        "BatchGetDocuments": grpc.unary_stream_rpc_method_handler(
            batch_get,
            request_deserializer=types.BatchGetDocumentsRequest.deserialize,
            response_serializer=types.BatchGetDocumentsResponse.serialize,
        ),
        "Commit": grpc.unary_unary_rpc_method_handler(
            commit,
            request_deserializer=types.CommitRequest.deserialize,
            response_serializer=types.CommitResponse.serialize,
        ),
    }
    server = grpc.server(futures.ThreadPoolExecutor(THREADS))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", methods),)
    )
    server.add_insecure_port(f"{HOST}:{port}")
    server.start()
    server.wait_for_termination()


def serve_otlp(port: int, delay_ms: int) -> None:
    """Serve a fake OTLP endpoint that acknowledges every POST after `delay_ms`."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                await reader.readexactly(length)
                if delay_ms:
                    await asyncio.sleep(delay_ms / 1000)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(connection, HOST, port)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    fake, *numbers = sys.argv[1:]
    serve: dict[str, Callable[..., None]] = {"firestore": serve_firestore, "otlp": serve_otlp}
    serve[fake](*map(int, numbers))
