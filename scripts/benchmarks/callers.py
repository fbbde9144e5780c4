"""Measures what tracing costs the caller of an HTTPS function: latency and throughput.

The functions' own `quote` is served as Cloud Run would, outside the emulator: Functions Framework,
one worker, eight threads. It reads one document from a fake Firestore that responds at once, so
that the reference is a small function; `without` runs with OTEL_SDK_DISABLED. Traced servers
export to the Observatory, to an endpoint that responds at once, and to one that responds after
100 ms. All servers run the whole time and are called in turn in each round.

    python -m benchmarks.callers firestore PORT
    python -m benchmarks.callers otlp PORT DELAY_MS

run the two fake servers, each in its own process.
"""

from __future__ import annotations

import asyncio
import functools
import http.client
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

from benchmarks import observatory
from benchmarks.ratio import p95
from stack import paths
from stack.console import print_line
from stack.errors import UserError
from stack.local.addresses import HOST
from stack.local.processes import Processes, wait_until

FOLDER = paths.MADE / "bench" / "callers"
PROJECT = "demo-throughline"
ROUNDS = 3
THREADS = 8
CALLERS = 40
WARM_UP_REQUESTS = 40
SLOW_MS = 100
READY_SECONDS = 60.0
_BODY = json.dumps({"data": {"show_id": "night-ferry", "seats": 2}})
_SHOW: dict[str, int | str] = {
    "price_cents": 2500,
    "currency": "EUR",
    "seats_left": 40,
    "seats_total": 60,
}
_WITHOUT = "without"
ENDPOINTS = ("observatory", "instant", "slow")


@dataclass
class Calls:
    """The measurements of one server, with one caller and with 40 concurrent callers."""

    one_caller_ms: list[float] = field(default_factory=list)
    many_callers_ms: list[float] = field(default_factory=list)
    requests_per_s: list[float] = field(default_factory=list)


def measure(runs: int) -> dict[str, Any]:
    """Send `runs` requests from one caller, and as many from 40, to each server."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    measured = {name: Calls() for name in (_WITHOUT, *ENDPOINTS)}
    with Processes() as processes:
        ports = _start_servers(processes)
        for port in ports.values():
            _one_caller(port, WARM_UP_REQUESTS)
            _many_callers(port, WARM_UP_REQUESTS)
        for turn in range(ROUNDS):
            names = list(measured) if turn % 2 else list(reversed(measured))
            for name in names:
                calls, port = measured[name], ports[name]
                calls.one_caller_ms += _one_caller(port, -(-runs // ROUNDS))
                began = time.perf_counter()
                latencies_ms = _many_callers(port, max(CALLERS, -(-runs // ROUNDS)))
                calls.many_callers_ms += latencies_ms
                calls.requests_per_s.append(len(latencies_ms) / (time.perf_counter() - began))
            print_line(f"  round {turn + 1} of {ROUNDS}")
    return {"n": runs, **summary(measured)}


def summary(measured: dict[str, Calls]) -> dict[str, Any]:
    """Return the figures of each server, and how those with tracing differ from the one without."""
    without = measured[_WITHOUT]
    figures: dict[str, Any] = {}
    for name, calls in measured.items():
        p50_ms, p95_ms = statistics.median(calls.one_caller_ms), p95(calls.one_caller_ms)
        rate = statistics.median(calls.requests_per_s)
        figures |= {
            f"{name}_p50_ms": round(p50_ms, 1),
            f"{name}_p95_ms": round(p95_ms, 1),
            f"{name}_requests_per_s_at_{CALLERS}": round(rate),
            f"{name}_p50_ms_at_{CALLERS}": round(statistics.median(calls.many_callers_ms), 1),
        }
        if calls is not without:
            figures |= {
                f"{name}_added_p50_ms": round(p50_ms - statistics.median(without.one_caller_ms), 1),
                f"{name}_added_p95_ms": round(p95_ms - p95(without.one_caller_ms), 1),
                f"{name}_throughput_ratio": round(
                    rate / statistics.median(without.requests_per_s), 3
                ),
            }
    return figures


def _start_servers(processes: Processes) -> dict[str, int]:
    """Start the fake servers and the functions' servers; return the latter's ports by name."""
    firestore, instant, slow = (_free_port() for _ in range(3))
    for name, arguments in {
        "Firestore": ["firestore", str(firestore)],
        "instant endpoint": ["otlp", str(instant), "0"],
        "slow endpoint": ["otlp", str(slow), str(SLOW_MS)],
    }.items():
        processes.start(
            name,
            [str(paths.python_in(paths.VENV)), "-m", "benchmarks.callers", *arguments],
            {**os.environ, "PYTHONPATH": str(paths.ROOT / "scripts")},
            FOLDER / f"{name.replace(' ', '-')}.log",
            paths.ROOT,
        )
    urls = {
        "observatory": observatory.start(processes, FOLDER / "spans.duckdb"),
        "instant": f"http://{HOST}:{instant}",
        "slow": f"http://{HOST}:{slow}",
        _WITHOUT: "",
    }
    ports = {}
    for name, url in urls.items():
        ports[name] = port = _free_port()
        environment = {
            **os.environ,
            "FUNCTION_TARGET": "quote",
            "FUNCTION_SIGNATURE_TYPE": "http",
            "GCLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": f"{HOST}:{firestore}",
            "THREADS": str(THREADS),
            **({"OTEL_EXPORTER_OTLP_ENDPOINT": url} if url else {"OTEL_SDK_DISABLED": "true"}),
        }
        environment.pop("PYTHONPATH", None)
        command = [str(paths.FUNCTIONS / "venv" / "bin" / "functions-framework")]
        command += ["--source", "main.py", "--host", HOST, "--port", str(port)]
        log = FOLDER / f"{name}.log"
        processes.start(f"quote ({name})", command, environment, log, paths.FUNCTIONS)
    for name, port in ports.items():
        ready = functools.partial(_answers, port)
        wait_until(ready, f"quote ({name})", processes, READY_SECONDS)
    return ports


def _answers(port: int) -> bool:
    try:
        return bool(_one_caller(port, 1))
    except (OSError, UserError, http.client.HTTPException):
        return False


def _one_caller(port: int, requests: int) -> list[float]:
    """Send requests in sequence over one connection; return each latency in milliseconds."""
    connection = http.client.HTTPConnection(HOST, port, timeout=READY_SECONDS)
    try:
        return [_call(connection) for _ in range(requests)]
    finally:
        connection.close()


def _many_callers(port: int, requests: int) -> list[float]:
    """Send requests from 40 threads, `requests` in all; return each latency in milliseconds."""
    with futures.ThreadPoolExecutor(CALLERS) as pool:
        shares = [requests // CALLERS + (n < requests % CALLERS) for n in range(CALLERS)]
        results = pool.map(lambda share: _one_caller(port, share), shares)
        return [latency_ms for latencies_ms in results for latency_ms in latencies_ms]


def _call(connection: http.client.HTTPConnection) -> float:
    began = time.perf_counter()
    connection.request("POST", "/", _BODY, {"Content-Type": "application/json"})
    response = connection.getresponse()
    body = response.read()
    took_ms = 1000 * (time.perf_counter() - began)
    if response.status != 200:
        raise UserError(
            f"quote answered {response.status}: {body[:200]!r}.", hint=f"Its log is in {FOLDER}/."
        )
    return took_ms


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def serve_firestore(port: int) -> None:
    """Serve a fake Firestore over gRPC that answers every read of documents with one show."""
    import grpc  # noqa: PLC0415
    from google.cloud.firestore_v1.types import (  # noqa: PLC0415
        BatchGetDocumentsRequest,
        BatchGetDocumentsResponse,
        Document,
        Value,
    )
    from google.protobuf.timestamp_pb2 import Timestamp  # noqa: PLC0415

    def value_of(value: int | str) -> Value:
        return Value(integer_value=value) if isinstance(value, int) else Value(string_value=value)

    def batch_get(request: BatchGetDocumentsRequest, _context: object) -> Any:
        now = Timestamp()
        now.GetCurrentTime()
        for name in request.documents:
            fields = {key: value_of(value) for key, value in _SHOW.items()}
            document = Document(name=name, fields=fields, create_time=now, update_time=now)
            yield BatchGetDocumentsResponse(found=document, read_time=now)

    handler = grpc.unary_stream_rpc_method_handler(
        batch_get,
        request_deserializer=BatchGetDocumentsRequest.deserialize,
        response_serializer=BatchGetDocumentsResponse.serialize,
    )
    server = grpc.server(futures.ThreadPoolExecutor(THREADS))
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "google.firestore.v1.Firestore", {"BatchGetDocuments": handler}
            ),
        )
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
    stand_in, *numbers = sys.argv[1:]
    serve: dict[str, Callable[..., None]] = {"firestore": serve_firestore, "otlp": serve_otlp}
    serve[stand_in](*map(int, numbers))
