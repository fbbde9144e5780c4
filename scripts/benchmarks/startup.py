"""How long until everything is ready, beside `firebase emulators:start` alone, taking turns."""

from __future__ import annotations

import statistics
import time
from typing import Any

from stack import emulators, install, places, running
from stack.console import say
from stack.ports import Ports, free_ports
from stack.processes import Processes, wait_until

FOLDER = places.MADE / "bench"


def measure(runs: int) -> dict[str, Any]:
    """Start both, in turn, `runs` times."""
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
