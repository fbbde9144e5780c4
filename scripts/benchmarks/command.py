"""`./scripts/bench`: measurements that hold on a noisy machine: medians and ratios of one run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import (
    bundle,
    callers,
    coldstart,
    explorer,
    observatory,
    overhead,
    purchase,
    scrolling,
    startup,
)
from stack import paths
from stack.setup import install

FOLDER = paths.MADE / "bench"


@dataclass(frozen=True)
class Bench:
    """One measurement: what is measured beside what, and how often unless told otherwise."""

    measure: Callable[[int], dict[str, Any]]
    runs: int
    about: str
    browser: bool = False


BENCHES = {
    "startup": Bench(startup.measure, 3, "the stack until ready, beside the emulators alone"),
    "purchase": Bench(purchase.measure, 10, "click to ticketed in a browser, once warm", True),
    "overhead": Bench(
        overhead.measure,
        40,
        "click to ticketed, the acquirer's delay taken off, with tracing ÷ without: the same "
        "orders on one stack, in phases ABBA; without means that the page does not load its "
        "tracing code and that the functions' workers run with OTEL_SDK_DISABLED",
        True,
    ),
    "coldstart": Bench(
        coldstart.measure,
        20,
        "a function's process from its start to its first answer, with throughline ÷ without a "
        "line of it, alternating; the functions of functions/throughline/README.md",
    ),
    "callers": Bench(
        callers.measure,
        400,
        "what a caller of an HTTPS function pays: milliseconds from 1 caller and requests a second "
        "from 40, with tracing beside without, delivering to the Observatory, to an endpoint that "
        "answers at once and to one that takes 100 ms",
    ),
    "bundle": Bench(
        bundle.measure, 1, "the page's tracing code, gzip bytes all told, ÷ the rest of the page"
    ),
    "observatory": Bench(
        observatory.measure,
        5,
        "spans taken in a second, a round of 200,000 from eight senders at a time, beside rotel's "
        "blackhole and Phoenix; then, with all of them stored, memory and queries",
    ),
    "explorer": Bench(
        explorer.measure,
        10,
        "the Observatory's overview of 400 traces until its first paint, in a browser that was "
        "never there, beside a page of text; and its JavaScript, gzip bytes",
        True,
    ),
    "scrolling": Bench(
        scrolling.measure,
        5,
        "the time between frames while the wheel turns through a trace of 5,000 spans, from the "
        "first row to the last, beside a page of the same height with nothing in it",
        True,
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    width = max(map(len, BENCHES))
    parser = argparse.ArgumentParser(
        prog="./scripts/bench",
        description="Measure, in one run, beside a reference. Figures are medians unless they say "
        "otherwise; median_ratio and p95_ratio compare two ways of doing the same.",
        epilog="\n".join(f"  {name:<{width}}  {bench.about}" for name, bench in BENCHES.items())
        + "\n\nExit status: 0 it was measured; 1 it could not be; 2 bad usage.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=BENCHES, help="what to measure, of the list below")
    parser.add_argument("--runs", type=int, help="how many counted runs, of each way")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    bench = BENCHES[options.what]
    runs = bench.runs if options.runs is None else options.runs
    if runs < 1:
        parser.error("--runs takes a number from 1 on")
    FOLDER.mkdir(parents=True, exist_ok=True)
    install.everything(chromium=bench.browser)
    found = {"bench": options.what, **bench.measure(runs)}
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:<32}{value}" for name, value in found.items()))
    return 0
