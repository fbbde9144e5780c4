"""`./scripts/bench`: measurements that hold on a noisy machine: medians and ratios of one run."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from typing import Any

from stack import emulators, install, places, running
from stack.console import say
from stack.ports import Ports, free_ports
from stack.problem import Problem
from stack.processes import Processes, wait_until

FOLDER = places.MADE / "bench"


def startup(runs: int) -> dict[str, Any]:
    """How long until everything is ready, beside `firebase emulators:start` alone, taking turns."""
    ours, alone = [], []
    for turn in range(runs + 1):
        alone_s, ours_s = _emulators_alone(free_ports()), _whole_stack(free_ports())
        if turn:  # the first turn warms the disk's cache
            alone.append(alone_s)
            ours.append(ours_s)
            say(f"  turn {turn}: emulators alone {alone_s:.1f} s, everything {ours_s:.1f} s")
    return {
        "n": runs,
        "stack_s": round(statistics.median(ours), 2),
        "emulators_alone_s": round(statistics.median(alone), 2),
        "ratio": round(statistics.median(ours) / statistics.median(alone), 3),
    }


def purchase(runs: int) -> dict[str, Any]:
    """From the click to “ticketed” in a browser, once warm, the acquirer's own delay taken off."""
    ports = free_ports()
    with running.stack(ports, FOLDER):
        command = [str(places.python_in(places.VENV)), "-m", "stack.buy"]
        command += ["--port-offset", str(ports.offset), "--json"]
        bought = []
        for turn in range(runs + 2):
            said = subprocess.run(
                command, cwd=places.ROOT, stdout=subprocess.PIPE, text=True, check=False
            ).stdout
            if not said:
                raise Problem("A purchase did not go through.")
            if turn >= 2:  # the first ones find the functions cold
                bought.append(json.loads(said))
        observatory = ports.url("observatory")
        ours = [each["wall_s"] - _card_network_s(observatory, each["trace_id"]) for each in bought]
    return {
        "n": runs,
        "click_to_ticketed_s": round(statistics.median(ours), 3),
        "click_to_ticketed_max_s": round(max(ours), 3),
        "with_acquirer_s": round(statistics.median(each["wall_s"] for each in bought), 3),
        "ticketed": sum(each["order_state"] == "ticketed" for each in bought),
        "orphans": sum(each["orphans"] for each in bought),
        "coverage": min(each["coverage"] for each in bought),
        "errors": sum(each["errors"] for each in bought),
    }


def _card_network_s(observatory: str, trace_id: str) -> float:
    """How long the acquirer's bank took in one purchase, which no code of ours can shorten."""
    with urllib.request.urlopen(f"{observatory}/api/traces/{trace_id}", timeout=30) as answer:  # noqa: S310
        rows = json.load(answer)["rows"]
    return sum(float(row["duration_ms"]) for row in rows if row["name"] == "card network") / 1000


BENCHES = {"startup": (startup, 3), "purchase": (purchase, 10)}


def _whole_stack(ports: Ports) -> float:
    install.page(FOLDER / "page", running.page_settings(ports))
    began = time.monotonic()
    with running.stack(ports, FOLDER):
        return time.monotonic() - began


def _emulators_alone(ports: Ports) -> float:
    """The reference: the same firebase.json on the same ports, and nothing else of ours."""
    install.page(FOLDER / "page", running.page_settings(ports))
    env = running.environment(ports, install.java())
    with (
        emulators.starting(),
        emulators.config_for(ports, FOLDER / "page") as config,
        Processes() as processes,
    ):
        began = time.monotonic()
        suite = emulators.start(processes, config, env, FOLDER / "firebase-alone.log")
        wait_until(
            lambda: emulators.are_ready(suite.log), suite.name, processes, running.START_SECONDS
        )
        return time.monotonic() - began


def main() -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="./scripts/bench",
        description="Measure, in one run, beside a reference. Figures are medians.",
        epilog="Exit status: 0 it was measured; 1 it could not be; 2 bad usage.",
    )
    parser.add_argument(
        "what",
        choices=BENCHES,
        help="startup: the stack until ready, beside the emulators alone; "
        "purchase: click to ticketed in a browser, once warm",
    )
    parser.add_argument("--runs", type=int, help="how many counted runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    bench, usual = BENCHES[options.what]
    runs = usual if options.runs is None else options.runs
    if runs < 1:
        parser.error("--runs takes a number from 1 on")
    running.end_on_signals()
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        install.everything(chromium=options.what == "purchase")
        found = {"bench": options.what, **bench(runs)}
    except Problem as problem:
        say(f"✗ {problem}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted; nothing is left running.")
        return 130
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:<24}{value}" for name, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
