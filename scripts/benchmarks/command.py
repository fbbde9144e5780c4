"""`./scripts/bench`: medians and ratios within one run, which are robust on a noisy machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import (
    acknowledgement,
    bundle,
    callers,
    coldstart,
    explorer,
    facts,
    observatory,
    overhead,
    purchase,
    relay,
    scrolling,
    startup,
)
from stack import paths
from stack.setup import install

FOLDER = paths.MADE / "bench"


@dataclass(frozen=True)
class Bench:
    """A benchmark: its function, its default number of runs, and a description."""

    measure: Callable[[int], dict[str, Any]]
    runs: int
    about: str
    browser: bool = False


BENCHES = {
    "startup": Bench(
        startup.measure, 3, "the start of the stack, compared with the emulators alone"
    ),
    "purchase": Bench(
        purchase.measure, 10, "from click to ticketed in a browser, with warm functions", True
    ),
    "overhead": Bench(
        overhead.measure,
        40,
        "from click to ticketed minus the acquirer's delay, with tracing ÷ without: the same "
        "orders on one stack, in phases ABBA; without: the page does not load its tracing code, "
        "and the functions' workers run with OTEL_SDK_DISABLED",
        True,
    ),
    "coldstart": Bench(
        coldstart.measure,
        20,
        "from the start of a function's process to its first response, with throughline ÷ "
        "without, in turn; the functions of functions/throughline/README.md",
    ),
    "callers": Bench(
        callers.measure,
        400,
        "what tracing costs the caller of a function: latency with 1 caller and requests per "
        "second with 40, exporting to the Observatory, to an endpoint that responds at once and "
        "to one that responds after 100 ms; how long an event function is held for an event; and "
        "where the processor time goes",
    ),
    "facts": Bench(
        facts.measure,
        5,
        "the bytes that the facts on spans add to an order, in all, per span, and by attribute; of "
        "OTLP's protobuf encoding, before compression",
        True,
    ),
    "relay": Bench(
        relay.measure,
        3_000,
        "the function telemetry at 100 requests per second on one instance, forwarding to an "
        "endpoint that responds after 100 ms: the rate achieved, latency from when a request is "
        "due, and failed requests",
    ),
    "bundle": Bench(
        bundle.measure, 1, "the page's tracing code ÷ the rest of the page, in bytes of gzip"
    ),
    "observatory": Bench(
        observatory.measure,
        5,
        "spans accepted per second, in rounds of 200,000 from eight senders, compared with rotel's "
        "blackhole and Phoenix; then memory and query latency with all spans stored",
    ),
    "acknowledgement": Bench(
        acknowledgement.measure,
        200,
        "from sending one span to an idle Observatory to its response, compared with a request "
        "that is acknowledged after its commit, and the parts of both",
    ),
    "explorer": Bench(
        explorer.measure,
        10,
        "first paint of the Observatory's overview of 400 traces without a cache, compared with a "
        "page of text; and its JavaScript, in bytes of gzip",
        True,
    ),
    "scrolling": Bench(
        scrolling.measure,
        5,
        "the time between frames while scrolling with the wheel through a trace of 5,000 spans, "
        "compared with an empty page of the same height",
        True,
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    width = max(map(len, BENCHES))
    parser = argparse.ArgumentParser(
        prog="./scripts/bench",
        description="Measure something and a reference in the same run. Figures are medians unless "
        "their name says otherwise; median_ratio and p95_ratio are relative to the reference.",
        epilog="\n".join(f"  {name:<{width}}  {bench.about}" for name, bench in BENCHES.items())
        + "\n\nExit status: 0 success; 1 the measurement failed; 2 bad usage.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=BENCHES, help="the benchmark to run, from the list below")
    parser.add_argument("--runs", type=int, help="number of counted runs of each variant")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    bench = BENCHES[options.what]
    runs = bench.runs if options.runs is None else options.runs
    if runs < 1:
        parser.error(f"--runs is {runs}; it must be a whole number of 1 or more")
    FOLDER.mkdir(parents=True, exist_ok=True)
    install.everything(chromium=bench.browser)
    figures = {"bench": options.what, **bench.measure(runs)}
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:<32}{value}" for name, value in figures.items()))
    return 0
