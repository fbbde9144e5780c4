"""Measures the Observatory's ingestion rate, and its query latency with a million spans.

Each round sends 200,000 spans over eight connections, in requests encoded beforehand, to one
Observatory; the default of five rounds makes a million spans. Then observatory_queries.py measures
queries and observatory_mcp.py tool calls, two rounds are sent over gRPC, and the same senders send
to the products in reference_stores.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import observatory_mcp, observatory_queries, reference_stores
from benchmarks.load_process import LoadProcess, Sent
from stack import paths
from stack.console import print_line
from stack.errors import UserError
from stack.local.addresses import HOST
from stack.local.processes import Processes, wait_until

FOLDER = paths.MADE / "bench" / "observatory"
SPANS_A_ROUND = 200_192  # requests of 512
GRPC_ROUNDS = 2
START_SECONDS = 30.0
SEARCH_SECONDS = 60.0


def measure(runs: int) -> dict[str, Any]:
    """Send `runs` rounds, measure queries, and then measure the references."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    data = FOLDER / "spans.duckdb"
    rounds: list[Sent] = []
    searchable_s: list[float] = []
    with Processes() as processes:
        url = start(processes, data)
        pid = processes.pid("Observatory")
        with LoadProcess(url, SPANS_A_ROUND) as load:
            for turn in range(runs):
                load.encode()
                sent = load.send()
                searchable_s.append(_until_found(url, sent["last_trace_id"]))
                rounds.append(sent)
                rate = sent["spans"] / sent["seconds"]
                print_line(f"  round {turn + 1} of {runs}: {rate:,.0f} spans/s")
        stored = int(_get(f"{url}/api/health")["spans"])
        filled_mb = _rss_mb(pid)
        queries = observatory_queries.measure(url)
        queried_mb = _rss_mb(pid)
        queries |= observatory_mcp.measure(url)
        queries |= _over_grpc(data, _rate(rounds))
    return (
        summary(
            rounds, stored, searchable_s, {"rss_mb": filled_mb, "rss_mb_after_queries": queried_mb}
        )
        | queries
        | compared(_rate(rounds), reference_stores.measure())
    )


def summary(
    rounds: Sequence[Sent], stored: int, searchable_s: Sequence[float], memory: dict[str, int]
) -> dict[str, Any]:
    """Return the figures of the rounds."""
    acknowledged = sum(sent["spans"] for sent in rounds)
    return {
        "n": len(rounds),
        "spans_per_s": round(_rate(rounds)),
        "spans_per_s_min": round(min(sent["spans"] / sent["seconds"] for sent in rounds)),
        "spans_stored": stored,
        "lost": acknowledged - stored,
        "refused_requests": sum(sent["refused"] for sent in rounds),
        "throttled": sum(sent["throttled"] for sent in rounds),
        "searchable_s_max": round(max(searchable_s), 3),
        **memory,
    }


def compared(spans_per_s: float, references: dict[str, Any]) -> dict[str, Any]:
    """Return the references' figures, and the ratio of the Observatory's rate to each of them."""
    ratios = {
        name.replace("_spans_per_s", "_ratio"): round(spans_per_s / value, 3)
        for name, value in references.items()
        if name.endswith("_spans_per_s") and value
    }
    return {**references, **{f"observatory_to_{name}": ratio for name, ratio in ratios.items()}}


def _over_grpc(data: Path, http_spans_per_s: float) -> dict[str, Any]:
    """Send rounds over gRPC to the Observatory whose log is beside ``data``."""
    port = re.search(r"OTLP/gRPC on port (\d+)", data.with_suffix(".log").read_text())
    if port is None:
        raise UserError("The Observatory did not print its port for gRPC.")
    with LoadProcess(f"grpc://{HOST}:{port[1]}", SPANS_A_ROUND, seed=2) as load:
        rounds = []
        for _ in range(GRPC_ROUNDS):
            load.encode()
            rounds.append(load.send())
    return {
        "grpc_spans_per_s": round(_rate(rounds)),
        "grpc_refused_requests": sum(sent["refused"] for sent in rounds),
        "grpc_to_http_ratio": round(_rate(rounds) / http_spans_per_s, 3),
    }


def _rate(rounds: Sequence[Sent]) -> float:
    return statistics.median(sent["spans"] / sent["seconds"] for sent in rounds)


def start(processes: Processes, data: Path) -> str:
    """Start an Observatory on a free port with a new database, and return its URL.

    Its log is beside the database.
    """
    for leftover in data.parent.glob(f"{data.name}*"):
        leftover.unlink()
    log = data.with_suffix(".log")
    command = [str(paths.python_in(paths.VENV)), "-m", "observatory", "--port", "0"]
    command += ["--grpc-port", "0"]
    command += ["--config", str(paths.OBSERVATORY_CONFIG)]
    processes.start("Observatory", [*command, "--data", str(data)], os.environ, log, paths.ROOT)

    def logged_urls() -> list[str]:
        return [word for word in log.read_text().split() if word.startswith(f"http://{HOST}:")]

    wait_until(lambda: bool(logged_urls()), "The Observatory", processes, START_SECONDS)
    return logged_urls()[0].rstrip("/,")


def _until_found(url: str, trace_id: str) -> float:
    """Return the seconds until a search finds a trace whose last span was just acknowledged."""
    began = time.monotonic()
    while True:
        if _get(f"{url}/api/traces?limit=1&trace_id_prefix={trace_id}")["total"]:
            return time.monotonic() - began
        if time.monotonic() - began > SEARCH_SECONDS:
            raise UserError(
                f"Trace {trace_id} was acknowledged, but a search does not find it after "
                f"{SEARCH_SECONDS:.0f} s."
            )


def _get(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=SEARCH_SECONDS) as response:  # noqa: S310
            payload: dict[str, Any] = json.load(response)
            return payload
    except urllib.error.URLError as error:
        raise UserError(f"The Observatory did not answer {url}: {error}.") from error


def _rss_mb(pid: int) -> int:
    """Return the resident memory of a process, in MB of 10^6 bytes."""
    output = ""
    with contextlib.suppress(OSError):
        output = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
    if not output.isdigit():
        raise UserError(f"`ps -o rss= -p {pid}` printed {output!r}, not a number.")
    return round(int(output) * 1024 / 10**6)
