"""What tracing costs a purchase: the same orders with it and without, in phases, on one stack.

Without means that the page's tracing code is not loaded and that the functions' workers were
started with OTEL_SDK_DISABLED. A setting reaches workers only when they start, so between phases
the emulator is made to start new ones, as it does when somebody edits a function; the emulators,
the acquirer, the Observatory and the browser stay. The phases alternate ABBA, which cancels drift.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from stack import places, running
from stack.benches.ratio import ratios
from stack.console import say
from stack.ports import free_ports
from stack.problem import Problem
from stack.processes import Processes, wait_until

FOLDER = places.MADE / "bench"
# Not below .throughline: the emulator watches no path that has a dot in front of a name.
FUNCTIONS = places.ROOT / "bench-functions"
ORDER: tuple[Literal["with", "without"], ...] = ("with", "without", "without", "with")
ROUNDS = 2
# The first orders after a change find the workers cold: each function may need a second one.
WARM_UP = 4
ACQUIRER_DELAY_SECONDS = 0.3
# Now and then the emulator finds a worker's connection closed, and never delivers that event again.
LOST_MAX = 3
RELOAD_SECONDS = 60.0
MISSED_AFTER_SECONDS = 15.0


def measure(runs: int) -> dict[str, Any]:
    """Buy `runs` tickets each way, or a few more, to make the phases equally long."""
    found: dict[str, list[float]] = {"with": [], "without": []}
    lost = 0
    orders = math.ceil(runs / (2 * ROUNDS))
    ports = free_ports()
    settings = {"ACQUIRER_DELAY_SECONDS": str(ACQUIRER_DELAY_SECONDS)}
    with (
        _copied_functions(),
        running.stack(ports, FOLDER, functions=FUNCTIONS, settings=settings) as processes,
        _buyer(ports.url("hosting")) as buyer,
    ):
        for phase in ORDER * ROUNDS:
            _restart_workers(phase, processes)
            tried = [_buy(buyer, phase) for _ in range(WARM_UP + orders)][WARM_UP:]
            bought = [each for each in tried if each]
            lost += len(tried) - len(bought)
            if lost > LOST_MAX:
                raise Problem(f"{lost} purchases did not go through; nothing is measured.")
            _check(bought, phase, ports.url("observatory"))
            took = [float(each["wall_s"]) - ACQUIRER_DELAY_SECONDS for each in bought]
            found[phase] += took
            say(f"  {phase} tracing: {statistics.median(took):.3f} s")
    return {
        "n": min(map(len, found.values())),
        "lost": lost,
        **ratios(found["with"], found["without"]),
        "with_tracing_s": round(statistics.median(found["with"]), 3),
        "without_s": round(statistics.median(found["without"]), 3),
    }


@contextmanager
def _copied_functions() -> Iterator[None]:
    """Work on a copy: the workers' settings lie beside them, and a change there reloads them."""
    shutil.rmtree(FUNCTIONS, ignore_errors=True)
    leave_out = shutil.ignore_patterns("venv", "__pycache__", ".env*", ".mypy_cache", "*.log")
    shutil.copytree(places.FUNCTIONS, FUNCTIONS, ignore=leave_out)
    (FUNCTIONS / "venv").symlink_to(places.FUNCTIONS / "venv")
    try:
        yield
    finally:
        shutil.rmtree(FUNCTIONS, ignore_errors=True)


def _restart_workers(phase: str, processes: Processes) -> None:
    """Have the emulator load the functions again, with or without telemetry."""
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
        # Just after the start the emulator's watcher is not there yet, and misses an edit.
        if time.monotonic() - edited > MISSED_AFTER_SECONDS:
            edited = time.monotonic()
            main.write_text(main.read_text() + "\n")
        return False

    wait_until(has_reloaded, "The reload of the functions", processes, RELOAD_SECONDS)


@contextmanager
def _buyer(box_office: str) -> Iterator[subprocess.Popen[str]]:
    """A browser that buys a ticket for each line written to it."""
    buyer = subprocess.Popen(
        [str(places.python_in(places.VENV)), "-m", "stack.benches.buyer", box_office],
        cwd=places.ROOT,
        env={**os.environ, "PYTHONPATH": str(places.ROOT / "scripts")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield buyer
    finally:
        if buyer.stdin:
            buyer.stdin.close()
        buyer.wait()


def _buy(buyer: subprocess.Popen[str], phase: str) -> dict[str, Any] | None:
    """What the page showed of one purchase; None if it was lost on the way."""
    said = ""
    if buyer.stdin and buyer.stdout and buyer.poll() is None:
        buyer.stdin.write(f"{phase}\n")
        buyer.stdin.flush()
        said = buyer.stdout.readline()
    if not said:
        raise Problem("The browser that buys has ended.")
    bought: dict[str, Any] = json.loads(said)
    if "problem" in bought:
        say(f"  {bought['problem']}")
        return None
    if bought["order_state"] != "ticketed":
        raise Problem(f"Order {bought['order_id']} ended {bought['order_state']}, not ticketed.")
    return bought


def _check(bought: list[dict[str, Any]], phase: str, observatory: str) -> None:
    """See that the orders of a phase were traced, or were not, as it says."""
    for each in bought:
        if _is_traced(observatory, each["trace_id"]) != (phase == "with"):
            raise Problem(f"Order {each['order_id']} was not {phase} tracing; nothing is measured.")


def _is_traced(observatory: str, trace_id: str) -> bool:
    try:
        with urllib.request.urlopen(f"{observatory}/api/traces/{trace_id}", timeout=30) as answer:  # noqa: S310
            return "reserve" in json.load(answer)["services"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise
