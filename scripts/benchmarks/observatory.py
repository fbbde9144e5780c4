"""What the Observatory takes in, and how fast it answers when it is full.

Each round sends 200,000 spans over eight connections, in requests that were encoded before; a fresh
Observatory takes them all, so that after the usual five rounds it holds a million. Then it is
asked (observatory_queries.py). The same senders then feed what reference_stores.py describes.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import observatory_queries, reference_stores
from benchmarks.load_process import LoadProcess, Sent
from stack import paths
from stack.console import print_line
from stack.errors import UserError
from stack.local.addresses import HOST
from stack.local.processes import Processes, wait_until

FOLDER = paths.MADE / "bench" / "observatory"
SPANS_A_ROUND = 200_192  # requests of 512
START_SECONDS = 30.0
FOUND_SECONDS = 60.0


def measure(runs: int) -> dict[str, Any]:
    """Send so many rounds, then ask, then feed the references."""
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
        stored = int(_asked(f"{url}/api/health")["spans"])
        filled_mb = _rss_mb(pid)
        queries = observatory_queries.measure(url)
        asked_mb = _rss_mb(pid)
    return (
        summary(
            rounds, stored, searchable_s, {"rss_mb": filled_mb, "rss_mb_after_queries": asked_mb}
        )
        | queries
        | compared(_rate(rounds), reference_stores.measure())
    )


def summary(
    rounds: Sequence[Sent], stored: int, searchable_s: Sequence[float], memory: dict[str, int]
) -> dict[str, Any]:
    """What the rounds came to."""
    acknowledged = sum(sent["spans"] for sent in rounds)
    return {
        "n": len(rounds),
        "spans_per_s": round(_rate(rounds)),
        "spans_per_s_min": round(min(sent["spans"] / sent["seconds"] for sent in rounds)),
        "spans_stored": stored,
        "lost": acknowledged - stored,
        "refused_requests": sum(sent["refused"] for sent in rounds),
        "told_to_come_later": sum(sent["told_later"] for sent in rounds),
        "searchable_s_max": round(max(searchable_s), 3),
        **memory,
    }


def compared(spans_per_s: float, references: dict[str, Any]) -> dict[str, Any]:
    """The references' figures, and how many times as many spans as each the Observatory takes."""
    ratios = {
        name.replace("_spans_per_s", "_ratio"): round(spans_per_s / value, 3)
        for name, value in references.items()
        if name.endswith("_spans_per_s") and value
    }
    return {**references, **{f"observatory_to_{name}": ratio for name, ratio in ratios.items()}}


def _rate(rounds: Sequence[Sent]) -> float:
    return statistics.median(sent["spans"] / sent["seconds"] for sent in rounds)


def start(processes: Processes, data: Path) -> str:
    """The address of an Observatory that was just started on a free port, with a new file.

    What it says goes to a log beside the file.
    """
    for suffix in ("", ".wal"):
        Path(f"{data}{suffix}").unlink(missing_ok=True)
    log = data.with_suffix(".log")
    command = [str(paths.python_in(paths.VENV)), "-m", "observatory", "--port", "0"]
    command += ["--config", str(paths.OBSERVATORY_CONFIG)]
    processes.start("Observatory", [*command, "--data", str(data)], os.environ, log, paths.ROOT)

    def said() -> list[str]:
        return [word for word in log.read_text().split() if word.startswith(f"http://{HOST}:")]

    wait_until(lambda: bool(said()), "The Observatory", processes, START_SECONDS)
    return said()[0].rstrip("/,")


def _until_found(url: str, trace_id: str) -> float:
    """Seconds until a search finds the trace whose last span was just answered with 200."""
    began = time.monotonic()
    while True:
        if _asked(f"{url}/api/traces?limit=1&trace_id_prefix={trace_id}")["total"]:
            return time.monotonic() - began
        if time.monotonic() - began > FOUND_SECONDS:
            raise UserError(f"Trace {trace_id} is not found, though it was acknowledged.")


def _asked(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=FOUND_SECONDS) as answer:  # noqa: S310
            said: dict[str, Any] = json.load(answer)
            return said
    except urllib.error.URLError as error:
        raise UserError(f"The Observatory did not answer {url}: {error}.") from error


def _rss_mb(pid: int) -> int:
    """The resident memory of a process, in MB of 10^6 bytes."""
    said = ""
    with contextlib.suppress(OSError):
        said = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
    if not said.isdigit():
        raise UserError("`ps` does not say how much memory the Observatory takes.")
    return round(int(said) * 1024 / 10**6)
