"""Measures the time from the click to “ticketed” in a browser, minus the acquirer's own delay."""

from __future__ import annotations

import json
import statistics
import urllib.request
from typing import Any

from stack import paths
from stack.clients.browser_purchase import buy_and_trace, summary
from stack.local import running
from stack.local.addresses import free_addresses

FOLDER = paths.MADE / "bench"


def measure(runs: int) -> dict[str, Any]:
    """Buy `runs` tickets in sequence, and return the figures."""
    addresses = free_addresses()
    with running.stack(addresses, FOLDER):
        bought: list[dict[str, Any]] = []
        for turn in range(runs + 2):
            purchase, journey = buy_and_trace(addresses)
            if turn >= 2:  # the first ones meet cold functions
                bought.append(summary(purchase, journey))
        observatory = addresses.observatory
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
    """Return the seconds that the acquirer's bank took in one purchase."""
    with urllib.request.urlopen(f"{observatory}/api/traces/{trace_id}", timeout=30) as response:  # noqa: S310
        rows = json.load(response)["rows"]
    return sum(float(row["duration_ms"]) for row in rows if row["name"] == "card network") / 1000
