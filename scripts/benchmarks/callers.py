"""Measures what tracing costs the caller of a function: latency, throughput and processor time.

The functions' own `quote`, a callable, is served with tracing and, as `without`, with
OTEL_SDK_DISABLED. Traced servers export to the Observatory, to an endpoint that responds at once,
and to one that responds after 100 ms. `availability`, an HTTPS function, and `audit`, an event
function, are measured with some of these. All servers run the whole time and are called in turn in
each round, so that the figures of one run can be compared.
"""

from __future__ import annotations

import http.client
import json
import statistics
import time
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

from benchmarks import observatory
from benchmarks.cpu_time import cpu_seconds
from benchmarks.function_servers import (
    READY_SECONDS,
    THREADS,
    Request,
    Server,
    call,
    start_fake,
    start_function,
    until_ready,
)
from benchmarks.ratio import p95
from stack import paths
from stack.console import print_line
from stack.local.addresses import HOST
from stack.local.processes import Processes

FOLDER = paths.MADE / "bench" / "callers"
ROUNDS = 3
CALLERS = 40
WARM_UP_REQUESTS = 40
ONE_CALLER_MIN_REQUESTS = 20
SLOW_MS = 100
ENDPOINTS = ("observatory", "instant", "slow")
_WITHOUT = "without"
_NO_EXPORT = {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
_JSON = {"Content-Type": "application/json"}

QUOTE = Request("POST", "/", json.dumps({"data": {"show_id": "night-ferry", "seats": 2}}), _JSON)
AVAILABILITY = Request("GET", "/?show_id=night-ferry")
AUDIT = Request(
    "POST",
    "/",
    json.dumps({"order_id": "order-1", "state": "ticketed", "by": "issue"}),
    {
        **_JSON,
        "ce-id": "event-1",
        "ce-source": "//boxoffice",
        "ce-specversion": "1.0",
        "ce-time": "2026-03-01T12:00:00.000000Z",
        "ce-type": "org.throughline.order.moved",
    },
)


@dataclass
class Calls:
    """The measurements of one server, with one caller and with 40 concurrent callers."""

    one_caller_ms: list[float] = field(default_factory=list)
    many_callers_ms: list[float] = field(default_factory=list)
    requests_per_s: list[float] = field(default_factory=list)
    #: Per request with one caller, of the server and of the Observatory.
    cpu_ms: float | None = None
    observatory_cpu_ms: float | None = None


def measure(runs: int) -> dict[str, Any]:
    """Send `runs` requests from one caller, and as many from 40, to each server."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    requests = -(-runs // ROUNDS)
    with Processes() as processes:
        servers = _start_servers(processes)
        for server in servers.values():
            until_ready(server, processes)
        measured = {name: Calls() for name in servers}
        for server in servers.values():
            _one_caller(server, WARM_UP_REQUESTS)
            _many_callers(server, WARM_UP_REQUESTS)
        for turn in range(ROUNDS):
            names = list(measured) if turn % 2 else list(reversed(measured))
            for name in names:
                _measure_one_caller(processes, servers[name], requests, measured[name])
            for name in names:
                if name in _MANY_CALLERS:
                    _measure_many_callers(servers[name], requests, measured[name])
            print_line(f"  round {turn + 1} of {ROUNDS}")
    return {"n": runs, **summary(measured), **breakdown(measured)}


def summary(measured: dict[str, Calls]) -> dict[str, Any]:
    """Return the figures of each server, and how those with tracing differ from the one without."""
    figures: dict[str, Any] = {}
    for name, calls in measured.items():
        if name in _BREAKDOWN:
            continue
        function, _, variant = name.rpartition("_")
        without = measured[f"{function}_{_WITHOUT}"]
        p50_ms = statistics.median(calls.one_caller_ms)
        figures |= {
            f"{name}_p50_ms": round(p50_ms, 1),
            f"{name}_p95_ms": round(p95(calls.one_caller_ms), 1),
        }
        if calls is not without:
            added = p50_ms - statistics.median(without.one_caller_ms)
            added_p95 = p95(calls.one_caller_ms) - p95(without.one_caller_ms)
            figures |= {
                f"{name}_added_p50_ms": round(added, 1),
                f"{name}_added_p95_ms": round(added_p95, 1),
            }
        if not calls.requests_per_s:
            continue
        rate = statistics.median(calls.requests_per_s)
        figures |= {
            f"{name}_requests_per_s_at_{CALLERS}": round(rate),
            f"{name}_p50_ms_at_{CALLERS}": round(statistics.median(calls.many_callers_ms), 1),
        }
        if calls is not without:
            ratio = rate / statistics.median(without.requests_per_s)
            figures[f"{name}_throughput_ratio"] = round(ratio, 3)
        if variant == "slow":
            # Each thread is held for the request and one export, whatever else is running.
            limit = 1000 * THREADS / p50_ms
            figures |= {
                f"{name}_requests_per_s_limit": round(limit),
                f"{name}_throughput_to_limit": round(rate / limit, 3),
            }
    return figures


def breakdown(measured: dict[str, Calls]) -> dict[str, Any]:
    """Return where the processor time of a traced quote goes, in milliseconds per request.

    Empty where processor time cannot be measured.
    """
    steps = ("quote_without", "quote_sdk", "quote_code", "quote_instant")
    cpu_ms = [measured[name].cpu_ms for name in steps]
    without, sdk, code, instant = (-1.0 if each is None else each for each in cpu_ms)
    observatory_ms = measured["quote_observatory"].observatory_cpu_ms
    if None in cpu_ms or observatory_ms is None:
        return {}
    return {
        "quote_cpu_ms": round(without, 2),
        "sdk_cpu_ms": round(sdk - without, 2),
        "code_attributes_cpu_ms": round(code - sdk, 2),
        "delivery_cpu_ms": round(instant - code, 2),
        "observatory_cpu_ms": round(observatory_ms, 2),
    }


# Measured with one caller only, for the processor time of tracing without an export.
_BREAKDOWN = ("quote_sdk", "quote_code")
_MANY_CALLERS = (
    *(f"quote_{variant}" for variant in (_WITHOUT, *ENDPOINTS)),
    *(f"availability_{variant}" for variant in (_WITHOUT, "observatory")),
)


def _start_servers(processes: Processes) -> dict[str, Server]:
    """Start the fake servers, the Observatory and the functions; return the latter by name."""
    firestore = start_fake(processes, FOLDER, "firestore")
    environments = {
        _WITHOUT: {"OTEL_SDK_DISABLED": "true"},
        "sdk": _NO_EXPORT,
        "code": _NO_EXPORT,
        **{
            name: {"OTEL_EXPORTER_OTLP_ENDPOINT": url}
            for name, url in {
                "observatory": observatory.start(processes, FOLDER / "spans.duckdb"),
                "instant": f"http://{start_fake(processes, FOLDER, 'otlp', 0)}",
                "slow": f"http://{start_fake(processes, FOLDER, 'otlp', SLOW_MS)}",
            }.items()
        },
    }
    measured = {
        "quote": (QUOTE, tuple(environments)),
        "availability": (AVAILABILITY, (_WITHOUT, "observatory")),
        "audit": (AUDIT, (_WITHOUT, "observatory", "slow")),
    }
    return {
        f"{function}_{variant}": start_function(
            processes,
            FOLDER,
            firestore,
            function=function,
            variant=variant,
            request=request,
            environment=environments[variant],
            is_event=request is AUDIT,
            code_attributes=variant != "sdk",
        )
        for function, (request, variants) in measured.items()
        for variant in variants
    }


def _measure_one_caller(processes: Processes, server: Server, requests: int, calls: Calls) -> None:
    requests = max(ONE_CALLER_MIN_REQUESTS, requests)
    watched = [processes.pid(name) for name in (server.process, "Observatory")]
    before = [cpu_seconds(pid) for pid in watched]
    calls.one_caller_ms += _one_caller(server, requests)
    used_ms = [
        None if end is None or start is None else 1000 * (end - start) / requests / ROUNDS
        for start, end in zip(before, map(cpu_seconds, watched), strict=True)
    ]
    if None not in used_ms:
        calls.cpu_ms = (calls.cpu_ms or 0) + (used_ms[0] or 0)
        calls.observatory_cpu_ms = (calls.observatory_cpu_ms or 0) + (used_ms[1] or 0)


def _measure_many_callers(server: Server, requests: int, calls: Calls) -> None:
    began = time.perf_counter()
    latencies_ms = _many_callers(server, max(2 * CALLERS, requests))
    calls.many_callers_ms += latencies_ms
    calls.requests_per_s.append(len(latencies_ms) / (time.perf_counter() - began))


def _one_caller(server: Server, requests: int) -> list[float]:
    """Send requests in sequence over one connection; return each latency in milliseconds."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=READY_SECONDS)
    try:
        latencies_ms = []
        for _ in range(requests):
            began = time.perf_counter()
            call(connection, server)
            latencies_ms.append(1000 * (time.perf_counter() - began))
        return latencies_ms
    finally:
        connection.close()


def _many_callers(server: Server, requests: int) -> list[float]:
    """Send requests from 40 threads, `requests` in all; return each latency in milliseconds."""
    with futures.ThreadPoolExecutor(CALLERS) as pool:
        shares = [requests // CALLERS + (n < requests % CALLERS) for n in range(CALLERS)]
        results = pool.map(lambda share: _one_caller(server, share), shares)
        return [latency_ms for latencies_ms in results for latency_ms in latencies_ms]
