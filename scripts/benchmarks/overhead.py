"""Measures what tracing costs a purchase: the same orders with and without it, on one stack.

Without tracing, the page's tracing code is not loaded and the functions' workers run with
OTEL_SDK_DISABLED. Workers read settings only at their start, so between phases a function's file is
edited, which makes the emulator start new workers; the emulators, the acquirer, the Observatory and
the browser keep running. The phases alternate ABBA, which cancels drift.
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
from typing import Any, Literal

from playwright.sync_api import Browser

from benchmarks import buyer
from benchmarks.ratio import ratios
from stack import paths
from stack.clients.browser_purchase import Purchase, browser
from stack.console import print_line
from stack.errors import UserError
from stack.local import running
from stack.local.addresses import free_addresses
from stack.local.processes import Processes, wait_until

FOLDER = paths.MADE / "bench"
# Not in .throughline: the emulator does not watch paths with a name that starts with a dot.
FUNCTIONS = paths.ROOT / "bench-functions"
ORDER: tuple[Literal["with", "without"], ...] = ("with", "without", "without", "with")
ROUNDS = 2
# The first orders after a restart meet cold workers, and each function may need a second worker.
WARM_UP = 4
ACQUIRER_DELAY_SECONDS = 0.3
# The emulator sometimes meets a worker's closed connection, and does not retry that event.
LOST_MAX = 3
RELOAD_SECONDS = 60.0
MISSED_AFTER_SECONDS = 15.0


def measure(runs: int) -> dict[str, Any]:
    """Buy `runs` tickets with and without tracing, rounded up to phases of equal length."""
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    lost = 0
    orders = math.ceil(runs / (2 * ROUNDS))
    addresses = free_addresses()
    settings = {"ACQUIRER_DELAY_SECONDS": str(ACQUIRER_DELAY_SECONDS)}
    with (
        _copied_functions(),
        running.stack(addresses, FOLDER, functions=FUNCTIONS, settings=settings) as processes,
        browser() as chromium,
    ):
        for phase in ORDER * ROUNDS:
            _restart_workers(phase, processes)
            runs_of_phase = range(WARM_UP + orders)
            purchases = [_buy(chromium, addresses.hosting, phase) for _ in runs_of_phase]
            bought = [purchase for purchase in purchases[WARM_UP:] if purchase]
            lost += len(purchases[WARM_UP:]) - len(bought)
            if lost > LOST_MAX:
                raise UserError(
                    f"{lost} purchases failed (allowed: {LOST_MAX}), so there is no result.",
                    hint=f"Look for the cause in {FOLDER}/*.log.",
                )
            _check(bought, phase, addresses.observatory)
            took = [each.wall_s - ACQUIRER_DELAY_SECONDS for each in bought]
            seconds[phase] += took
            print_line(f"  {phase} tracing: {statistics.median(took):.3f} s")
    return {
        "n": min(map(len, seconds.values())),
        "lost": lost,
        **ratios(seconds["with"], seconds["without"]),
        "with_tracing_s": round(statistics.median(seconds["with"]), 3),
        "without_s": round(statistics.median(seconds["without"]), 3),
    }


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
    (FUNCTIONS / ".env.local").write_text(f"OTEL_SDK_DISABLED={is_disabled}\n")
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
