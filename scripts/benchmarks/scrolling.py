"""Measures how smoothly a large trace scrolls in a real browser, compared with an empty page.

scroll_frames.py scrolls and measures. The empty page of the same height shows the frame rate that
the browser reaches on this machine.
"""

from __future__ import annotations

import json
import random
import statistics
import time
import urllib.request
from collections.abc import Sequence
from typing import Any

from benchmarks import observatory, scroll_frames
from benchmarks.ratio import p95, ratios
from stack import paths
from stack.console import print_line
from stack.errors import UserError
from stack.local.processes import Processes

FOLDER = paths.MADE / "bench" / "scrolling"
SPANS = 5_000
LEGS = 40
# A longer time between frames is visible as a hitch.
HITCH_MS = 50
TRACE_ID = "5c" * 16


def measure(runs: int) -> dict[str, Any]:
    """Scroll through both pages in turn, `runs` times each, and return the figures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Processes() as processes:
        url = observatory.start(processes, FOLDER / "spans.duckdb")
        _send(url, large_trace(time.time_ns()))
        trace_ms, empty_ms = _scroll(f"{url}/traces/{TRACE_ID}", runs)
    return {"n": runs, "spans": SPANS, **summary(trace_ms, empty_ms)}


def summary(trace: Sequence[float], empty: Sequence[float]) -> dict[str, Any]:
    """Return the figures of the times between frames, in milliseconds."""
    return {
        "frames": len(trace),
        "frame_median_ms": round(statistics.median(trace), 1),
        "frame_p95_ms": round(p95(trace), 1),
        "frame_max_ms": round(max(trace), 1),
        f"frames_over_{HITCH_MS}_ms": sum(each > HITCH_MS for each in trace),
        "empty_page_median_ms": round(statistics.median(empty), 1),
        "empty_page_p95_ms": round(p95(empty), 1),
        f"empty_page_frames_over_{HITCH_MS}_ms": sum(each > HITCH_MS for each in empty),
        **ratios(trace, empty),
    }


def large_trace(began_unix_nano: int, spans: int = SPANS) -> dict[str, Any]:
    """Return a trace of `spans` spans as OTLP/JSON: 40 hops, each with many calls.

    All have different names, so that none of them repeats another one.
    """
    chance = random.Random(1)  # noqa: S311  # the same trace each time
    services = ("page", "reserve", "charge", "settle", "issue")
    by_service: dict[str, list[dict[str, Any]]] = {service: [] for service in services}
    hop: dict[str, Any] | None = None
    for number in range(spans):
        begins_leg = number % (spans // LEGS) == 0
        service = services[number * LEGS // spans % len(services)]
        begin = began_unix_nano + number * 1_000_000
        span: dict[str, Any] = {
            "traceId": TRACE_ID,
            "spanId": f"{number + 1:016x}",
            "name": f"step {number}"
            if begins_leg
            else f"{chance.choice(('read', 'write', 'commit'))} {number}",
            "kind": 5 if begins_leg else 3,
            "startTimeUnixNano": str(begin),
            "endTimeUnixNano": str(begin + chance.randrange(1, 40) * 1_000_000),
            "attributes": [{"key": "step", "value": {"intValue": str(number)}}],
        }
        if hop is not None:
            span["parentSpanId"] = hop["spanId"]
        if number % 97 == 96:
            span["status"] = {"code": 2, "message": "it failed"}
        if number % 13 == 12:
            span["events"] = [{"timeUnixNano": str(begin), "name": "retried"}]
        if begins_leg:
            hop = span
        by_service[service].append(span)
    return {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [{"key": "service.name", "value": {"stringValue": service}}]
                },
                "scopeSpans": [{"scope": {}, "spans": service_spans}],
            }
            for service, service_spans in by_service.items()
        ]
    }


def _send(url: str, document: dict[str, Any]) -> None:
    request = urllib.request.Request(  # noqa: S310
        f"{url}/v1/traces",
        json.dumps(document).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        if response.read() != b"{}":
            raise UserError("The Observatory rejected some spans of the benchmark's trace.")


def _scroll(address: str, runs: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds between the frames of the trace, and of the empty page."""
    trace_ms: list[float] = []
    empty_ms: list[float] = []
    for of_trace, of_empty in scroll_frames.measure(address, SPANS, runs):
        trace_ms += of_trace
        empty_ms += of_empty
        print_line(
            f"  median between frames: trace {statistics.median(of_trace):.1f} ms, "
            f"empty {statistics.median(of_empty):.1f} ms"
        )
    return trace_ms, empty_ms
