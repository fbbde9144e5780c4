"""Measures what tracing costs a purchase: the same orders with and without it, on one stack.

Without tracing, the page's tracing code is not loaded and the functions' workers run with
OTEL_SDK_DISABLED. Workers read settings only at their start, so between phases a function's file is
edited, which makes the emulator start new workers; the emulators, the acquirer, the Observatory and
the browser keep running. The phases alternate ABBA, which cancels drift. The orders of a phase with
tracing are paired with those of the phase without it that is next to it.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from playwright.sync_api import Browser

from benchmarks import buyer
from benchmarks.cpu_time import cpu_seconds
from benchmarks.ratio import paired_ratios, ratios
from stack import paths
from stack.clients.browser import browser
from stack.clients.browser_purchase import Purchase
from stack.console import print_line
from stack.errors import UserError
from stack.local import emulators, running
from stack.local.addresses import free_addresses
from stack.local.processes import Processes, wait_until

FOLDER = paths.MADE / "bench"
# Not in .throughline: the emulator does not watch paths with a name that starts with a dot.
FUNCTIONS = paths.ROOT / "bench-functions"
ORDER: tuple[Literal["with", "without"], ...] = ("with", "without", "without", "with")
# More rounds pair orders that are closer together, and take longer.
ROUNDS_MAX = 4
ORDERS_OF_A_ROUND = 10
# The first orders after a restart meet cold workers, and each function may need a second worker.
WARM_UP = 4
ACQUIRER_DELAY_SECONDS = 0.3
# The emulator sometimes meets a worker's closed connection, and does not retry that event.
LOST_MAX = 3
RELOAD_SECONDS = 60.0
MISSED_AFTER_SECONDS = 15.0
# Processes whose processor time is compared, by the name that `running.stack` gives them.
WATCHED = {
    "functions_and_emulators": emulators.NAME,
    "observatory": "The Observatory",
    "rules_monitor": "The rules monitor",
    "acquirer": "The acquirer",
}


def measure(runs: int) -> dict[str, Any]:
    """Buy `runs` tickets with and without tracing, rounded up to phases of equal length."""
    rounds = max(1, min(ROUNDS_MAX, runs // ORDERS_OF_A_ROUND))
    orders = math.ceil(runs / (2 * rounds))
    phases: list[Phase] = []
    lost = 0
    addresses = free_addresses()
    settings = {"ACQUIRER_DELAY_SECONDS": str(ACQUIRER_DELAY_SECONDS)}
    with (
        _copied_functions(),
        running.stack(addresses, FOLDER, functions=FUNCTIONS, settings=settings) as processes,
        browser() as chromium,
    ):
        for tracing in ORDER * rounds:
            _restart_workers(tracing, processes)
            for _ in range(WARM_UP):
                _buy(chromium, addresses.hosting, tracing)
            before = _cpu_seconds(processes)
            purchases = [_buy(chromium, addresses.hosting, tracing) for _ in range(orders)]
            bought = [purchase for purchase in purchases if purchase]
            used = {name: now - before[name] for name, now in _cpu_seconds(processes).items()}
            lost += len(purchases) - len(bought)
            if lost > LOST_MAX:
                raise UserError(
                    f"{lost} purchases failed (allowed: {LOST_MAX}), so there is no result.",
                    hint=f"Look for the cause in {FOLDER}/*.log.",
                )
            _check(bought, tracing, addresses.observatory)
            took = [each.wall_s - ACQUIRER_DELAY_SECONDS if each else None for each in purchases]
            phases.append(Phase(tracing, took, used))
            if bought:
                median_s = statistics.median(seconds for seconds in took if seconds is not None)
                print_line(f"  {tracing} tracing: {median_s:.3f} s")
    return {"lost": lost, **summary(phases)}


@dataclass(frozen=True)
class Phase:
    """Orders that were bought with or without tracing.

    `took_s` has None for an order that failed. `cpu_seconds` is what each watched process used.
    """

    tracing: Literal["with", "without"]
    took_s: list[float | None]
    cpu_seconds: dict[str, float]


def summary(phases: list[Phase]) -> dict[str, Any]:
    """Return the figures of phases of which every two neighbours are one of each kind.

    Processor time is per order, and what tracing adds to each process.
    """
    pairs: list[tuple[float, float]] = []
    for neighbours in zip(phases[::2], phases[1::2], strict=True):
        with_it, without = sorted(neighbours, key=lambda phase: phase.tracing)
        for pair in zip(with_it.took_s, without.took_s, strict=True):
            if pair[0] is not None and pair[1] is not None:
                pairs.append((pair[0], pair[1]))
    if not pairs:
        raise UserError("No pair of orders was bought, so there is no result.")
    with_s, without_s = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    orders = sum(len(phase.took_s) for phase in phases) / 2
    added_ms = {
        f"{name}_added_cpu_ms": round(
            1000
            / orders
            * sum(
                phase.cpu_seconds[name] * (1 if phase.tracing == "with" else -1) for phase in phases
            )
        )
        for name in phases[0].cpu_seconds
    }
    return {
        **paired_ratios(pairs),
        "p95_ratio": ratios(with_s, without_s)["p95_ratio"],
        "with_tracing_s": round(statistics.median(with_s), 3),
        "without_s": round(statistics.median(without_s), 3),
        **added_ms,
    }


def _cpu_seconds(processes: Processes) -> dict[str, float]:
    """Return the processor time of each watched process so far; empty where it is unknown."""
    used = {name: cpu_seconds(processes.pid(process)) for name, process in WATCHED.items()}
    return {name: seconds for name, seconds in used.items() if seconds is not None}


@contextmanager
def _copied_functions() -> Iterator[None]:
    """Copy the functions while the block runs: their settings file and main.py are edited."""
    shutil.rmtree(FUNCTIONS, ignore_errors=True)
    leave_out = shutil.ignore_patterns("venv", "__pycache__", ".env*", ".mypy_cache", "*.log")
    shutil.copytree(paths.FUNCTIONS, FUNCTIONS, ignore=leave_out)
    (FUNCTIONS / "venv").symlink_to(paths.FUNCTIONS / "venv")
    try:
        yield
    finally:
        shutil.rmtree(FUNCTIONS, ignore_errors=True)


def _restart_workers(phase: str, processes: Processes) -> None:
    """Make the emulator reload the functions, with or without telemetry."""
    log = FOLDER / "firebase.log"

    def loaded() -> int:
        return log.read_text(errors="replace").count("Loaded functions definitions")

    before = loaded()
    is_disabled = str(phase == "without").lower()
    (FOLDER / emulators.FUNCTIONS_SETTINGS / ".env.local").write_text(
        f"OTEL_SDK_DISABLED={is_disabled}\n"
    )
    main = FUNCTIONS / "main.py"
    edited = -math.inf

    def has_reloaded() -> bool:
        nonlocal edited
        if loaded() > before:
            return True
        # Just after the start, the emulator does not watch the files yet and misses an edit.
        if time.monotonic() - edited > MISSED_AFTER_SECONDS:
            edited = time.monotonic()
            main.write_text(main.read_text() + "\n")
        return False

    wait_until(has_reloaded, "The reload of the functions", processes, RELOAD_SECONDS)


def _buy(chromium: Browser, hosting: str, phase: str) -> Purchase | None:
    """Return one purchase, or None if it failed."""
    try:
        purchase = buyer.buy(chromium, hosting, tracing=phase == "with")
    except UserError as error:
        print_line(f"  {error}")
        return None
    if purchase.order_state != "ticketed":
        raise UserError(f"Order {purchase.order_id} is {purchase.order_state}, not ticketed.")
    return purchase


def _check(bought: list[Purchase], phase: str, observatory: str) -> None:
    """Check that the orders of a phase were traced, or not traced, as intended."""
    for each in bought:
        if _is_traced(observatory, each.trace_id) != (phase == "with"):
            raise UserError(
                f"Order {each.order_id} was not bought {phase} tracing, so there is no result."
            )


def _is_traced(observatory: str, trace_id: str) -> bool:
    try:
        with urllib.request.urlopen(f"{observatory}/api/traces/{trace_id}", timeout=30) as response:  # noqa: S310
            return "reserve" in json.load(response)["services"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise
