"""Measures the first paint of the explorer's overview in a real browser, and the size of its code.

first_paint.py opens the pages. The reference is a page of text from the same server, which shows
what this machine's browser needs for any page.
"""

from __future__ import annotations

import gzip
import json
import statistics
import time
import urllib.request
from collections.abc import Sequence
from typing import Any

from benchmarks import first_paint, observatory
from benchmarks.ratio import p95, ratios
from benchmarks.scrolling import TRACE_ID, large_trace
from stack import paths
from stack.errors import UserError
from stack.local.processes import Processes

FOLDER = paths.MADE / "bench" / "explorer"
SCRIPTS = paths.ROOT / "observatory" / "ui" / "dist" / "assets"
TRACES = 400
SPANS_A_TRACE = 40
TRACES_A_REQUEST = 50
APART_NS = 2 * 10**9
PAINT_LIMIT_MS = 1_000
SCRIPT_LIMIT_BYTES = 250_000


def measure(runs: int) -> dict[str, Any]:
    """Open the overview and the plain page in turn, `runs` times each, without a cache.

    Raises:
        UserError: a page does not appear.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Processes() as processes:
        url = observatory.start(processes, FOLDER / "spans.duckdb")
        _fill(url)
        opened = first_paint.measure(url, runs)
    sizes = {file.name: gzip_bytes(file.read_bytes()) for file in SCRIPTS.glob("*.js")}
    return {"n": runs, "traces": TRACES, **summary(opened, sizes)}


def summary(opened: Sequence[dict[str, Any]], sizes: dict[str, int]) -> dict[str, Any]:
    """Return the figures.

    Args:
        opened: for each run, `overview_ms` and `plain_ms`, the times to the first contentful paint;
            `listed_ms`, the time to the first traces in the list; and `scripts`, the names of the
            scripts loaded by then.
        sizes: the size of every script of the explorer by name, in bytes of gzip.
    """
    overview = [run["overview_ms"] for run in opened]
    plain = [run["plain_ms"] for run in opened]
    first = {name for run in opened for name in run["scripts"]}
    everything = sum(sizes.values())
    return {
        "first_paint_median_ms": round(statistics.median(overview)),
        "first_paint_p95_ms": round(p95(overview)),
        "plain_page_median_ms": round(statistics.median(plain)),
        **ratios(overview, plain),
        "listed_median_ms": round(statistics.median(run["listed_ms"] for run in opened)),
        "javascript_gzip_bytes": everything,
        "of_it_for_the_overview_bytes": sum(sizes.get(name, 0) for name in first),
        "within_limits": statistics.median(overview) <= PAINT_LIMIT_MS
        and everything <= SCRIPT_LIMIT_BYTES,
    }


def gzip_bytes(body: bytes) -> int:
    """Return the size of `body` with gzip."""
    return len(gzip.compress(body, mtime=0))


def _fill(url: str) -> None:
    now = time.time_ns()
    for first in range(0, TRACES, TRACES_A_REQUEST):
        spans: list[dict[str, Any]] = []
        for number in range(first, first + TRACES_A_REQUEST):
            trace = large_trace(now - number * APART_NS, SPANS_A_TRACE)
            spans += json.loads(json.dumps(trace).replace(TRACE_ID, f"{number + 1:032x}"))[
                "resourceSpans"
            ]
        request = urllib.request.Request(  # noqa: S310
            f"{url}/v1/traces",
            json.dumps({"resourceSpans": spans}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            if response.read() != b"{}":
                raise UserError("The Observatory rejected some of the benchmark's traces.")
