"""Measures the relay of the page's telemetry: a fixed rate of requests to one instance.

The functions' own `telemetry` is served as Cloud Run would, with 32 threads, and forwards to an
endpoint that answers after 100 ms. Requests are sent when they are due, whether or not earlier ones
have been answered, and latency counts from that time. So a relay that falls behind shows it.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass
from typing import Any

from benchmarks.cpu_time import cpu_seconds
from benchmarks.function_servers import Request, Server, start_fake, start_function, until_ready
from benchmarks.ratio import p95
from stack import paths
from stack.local.addresses import HOST
from stack.local.processes import Processes

FOLDER = paths.MADE / "bench" / "relay"
RATE_PER_SECOND = 100
ENDPOINT_MS = 100
THREADS = 32
SENDERS = 64
SPANS_PER_REQUEST = 5
TIMEOUT_SECONDS = 30.0
PATH = "/telemetry/v1/traces"
_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """The status of one request, 0 if it was not answered, and the time from when it was due."""

    status: int
    latency_ms: float


def measure(runs: int) -> dict[str, Any]:
    """Send `runs` requests at 100 per second."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    bodies = list(requests(runs))
    with Processes() as processes:
        endpoint = start_fake(processes, FOLDER, "otlp", ENDPOINT_MS)
        server = start_function(
            processes,
            FOLDER,
            # The relay uses no Firestore.
            f"{HOST}:9",
            function="telemetry",
            variant="relay",
            request=Request("POST", PATH, bodies[0], _HEADERS),
            environment={
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{endpoint}",
                "THREADS": str(THREADS),
            },
        )
        until_ready(server, processes)
        pid = processes.pid(server.process)
        before, began = cpu_seconds(pid), time.monotonic()
        answers = send(server, bodies, RATE_PER_SECOND)
        seconds, after = time.monotonic() - began, cpu_seconds(pid)
    figures = summary(answers, seconds)
    if before is not None and after is not None:
        figures["cpu_ms_per_request"] = round(1000 * (after - before) / len(answers), 2)
    return figures


def summary(answers: list[Answer], seconds: float) -> dict[str, Any]:
    """Return the figures of answers that came within `seconds` of the first request."""
    latencies_ms = [answer.latency_ms for answer in answers if answer.status == 200]
    return {
        "n": len(answers),
        "failed": len(answers) - len(latencies_ms),
        "requests_per_s": round(len(latencies_ms) / seconds, 1),
        "p50_ms": round(statistics.median(latencies_ms), 1) if latencies_ms else None,
        "p95_ms": round(p95(latencies_ms), 1) if latencies_ms else None,
    }


def send(server: Server, bodies: list[str], rate_per_second: float) -> list[Answer]:
    """Send each body when it is due, at a fixed rate; return the answers."""
    local = threading.local()

    def post(body: str, due: float) -> Answer:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(
                HOST, server.port, timeout=TIMEOUT_SECONDS
            )
        try:
            local.connection.request("POST", PATH, body, _HEADERS)
            response = local.connection.getresponse()
            response.read()
            status = response.status
        except (OSError, http.client.HTTPException):
            local.connection.close()
            status = 0
        return Answer(status, 1000 * (time.monotonic() - due))

    with futures.ThreadPoolExecutor(SENDERS) as pool:
        began, pending = time.monotonic(), []
        for number, body in enumerate(bodies):
            due = began + number / rate_per_second
            time.sleep(max(0.0, due - time.monotonic()))
            pending.append(pool.submit(post, body, due))
        return [each.result(TIMEOUT_SECONDS + len(bodies)) for each in pending]


def requests(count: int) -> Iterator[str]:
    """Yield requests as the page sends them after a click."""
    generator = random.Random(1)  # noqa: S311  # the same spans in every run
    for _ in range(count):
        trace_id = f"{generator.getrandbits(128):032x}"
        spans = [
            _span(trace_id, f"{generator.getrandbits(64):016x}", generator)
            for _ in range(SPANS_PER_REQUEST)
        ]
        scope = {"scope": {"name": "throughline"}, "spans": spans}
        resource = {"attributes": _attributes(**{"service.name": "page"})}
        yield json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]})


def _span(trace_id: str, span_id: str, generator: random.Random) -> dict[str, Any]:
    start = 1_780_000_000_000_000_000 + generator.getrandbits(40)
    return {
        "traceId": trace_id,
        "spanId": span_id,
        "name": "create orders",
        "kind": 4,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 40_000_000),
        "attributes": _attributes(
            **{
                "boxoffice.order.id": f"order-{span_id}",
                "boxoffice.show.id": "night-ferry",
                "db.collection.name": "orders",
                "db.operation.name": "create",
                "db.system.name": "gcp.firestore",
                "server.address": "firestore.googleapis.com",
                "throughline.carrier": "document-field",
                "throughline.hop": "document",
            }
        ),
        "links": [{"traceId": trace_id, "spanId": span_id}],
        "status": {"code": 0},
        "flags": 257,
    }


def _attributes(**values: str) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]
