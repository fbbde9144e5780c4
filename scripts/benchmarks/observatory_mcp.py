"""Measures the MCP server's answers for ./scripts/bench observatory.

All calls differ, and go over one connection. They are for the data of otlp_traces.py.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import time
from typing import Any
from urllib.parse import urlsplit

from benchmarks.ratio import p95
from benchmarks.shows import REGIONS, SHOWS
from stack.errors import UserError

CALLS = 70
WARM_UP = 7
TIMEOUT_SECONDS = 60
SAMPLE = 200
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
}


def measure(url: str) -> dict[str, Any]:
    """Return p50 and p95 of a mix of tool calls, in milliseconds, and the largest answer."""
    chance = random.Random(11)  # noqa: S311  # the same calls in every run
    address = urlsplit(url)
    connection = http.client.HTTPConnection(
        address.hostname or "", address.port, timeout=TIMEOUT_SECONDS
    )
    connection.request("GET", f"/api/traces?limit={SAMPLE}&sort=duration")
    traces = [line["trace_id"] for line in json.load(connection.getresponse())["traces"]]
    took_ms, sizes_bytes = [], []
    for number in range(WARM_UP + CALLS):
        began = time.perf_counter()
        sizes_bytes.append(_answer_bytes(connection, *_call(number, chance, traces)))
        took_ms.append((time.perf_counter() - began) * 1000)
    connection.close()
    return {
        "mcp_p50_ms": round(statistics.median(took_ms[WARM_UP:]), 1),
        "mcp_p95_ms": round(p95(took_ms[WARM_UP:]), 1),
        "mcp_answer_bytes_max": max(sizes_bytes),
    }


def _call(number: int, chance: random.Random, traces: list[str]) -> tuple[str, dict[str, Any]]:
    """Return a tool and its arguments; consecutive numbers give different tools."""
    show, region = chance.choice(SHOWS), chance.choice(REGIONS)
    first, second = chance.sample(traces, 2)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("find_traces", {"filter": f'boxoffice.show.id = "{show}"', "limit": 200}),
        ("compare", {"inside": f"boxoffice.show.id = {show}", "limit": 100}),
        ("get_trace", {"trace": first, "rows": 1000}),
        ("critical_path", {"trace": first}),
        ("diff", {"left": first, "right": second, "only_differences": False}),
        ("service_map", {"filter": f"cloud.region = {region}"}),
        ("sql", {"query": f"from spans where trace_id = '{first}'", "limit": 1000}),
    ]
    return calls[number % len(calls)]


def _answer_bytes(
    connection: http.client.HTTPConnection, tool: str, arguments: dict[str, Any]
) -> int:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    connection.request("POST", "/mcp", json.dumps(call), HEADERS)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200 or json.loads(body).get("result", {}).get("isError", True):
        raise UserError(f"The tool {tool} answered with {response.status}: {body[:200]!r}.")
    return len(body)
