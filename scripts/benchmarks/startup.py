"""Measures the start of the stack, compared with `firebase emulators:start` alone, in turn."""

from __future__ import annotations

import statistics
import time
from typing import Any

from stack import paths
from stack.console import print_line
from stack.local import emulators, running
from stack.local.addresses import StackAddresses, free_addresses
from stack.local.processes import Processes, wait_until
from stack.setup import install

FOLDER = paths.MADE / "bench"


def measure(runs: int) -> dict[str, Any]:
    """Start both in turn, `runs` times, and return the figures."""
    ours, alone = [], []
    for turn in range(runs + 1):
        alone_s, ours_s = _emulators_alone(free_addresses()), _whole_stack(free_addresses())
        if turn:  # the first turn warms the disk's cache
            alone.append(alone_s)
            ours.append(ours_s)
            print_line(f"  turn {turn}: emulators alone {alone_s:.1f} s, everything {ours_s:.1f} s")
    return {
        "n": runs,
        "stack_s": round(statistics.median(ours), 2),
        "emulators_alone_s": round(statistics.median(alone), 2),
        "ratio": round(statistics.median(ours) / statistics.median(alone), 3),
    }


def _whole_stack(addresses: StackAddresses) -> float:
    install.page(FOLDER / "page", running.page_settings(addresses))
    began = time.monotonic()
    with running.stack(addresses, FOLDER):
        return time.monotonic() - began


def _emulators_alone(addresses: StackAddresses) -> float:
    """Start only the emulators, with the same firebase.json; return the seconds until ready."""
    install.page(FOLDER / "page", running.page_settings(addresses))
    env = running.environment(addresses, install.java())
    with (
        emulators.starting(),
        emulators.config_for(addresses, FOLDER / "page", FOLDER, env) as config,
        Processes() as processes,
    ):
        began = time.monotonic()
        suite = emulators.start(processes, config, env, FOLDER / "firebase-alone.log")
        wait_until(
            lambda: emulators.are_ready(suite.log), suite.name, processes, running.START_SECONDS
        )
        return time.monotonic() - began
