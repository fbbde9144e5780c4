"""Buys one ticket as a person does, in a real browser, and shows what the Observatory saw of it.

Runs in the environment that install.py made, not in the bare Python of the other modules.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from observatory.client import Observatory, ObservatoryError
from observatory.schemas.journey import Journey
from observatory.terminal.waterfall import render_waterfall
from stack import parts
from stack.console import say, step
from stack.ports import Ports
from stack.problem import Problem

PURCHASE_SECONDS = 60
TRACE_SECONDS = 20

# What a browser does on its own at start-up would only slow it down, most of all without a network.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_FINAL = ("ticketed", "rejected", "declined", "expired")


@dataclass(frozen=True)
class Purchase:
    """What the page showed of one purchase in the end. `wall_s` is from the click to that."""

    order_id: str
    order_state: str
    trace_id: str
    wall_s: float


@contextmanager
def browser() -> Iterator[Browser]:
    """Headless Chromium.

    Raises:
        Problem: there is none.
    """
    found = parts.chromium()
    if found is None:
        raise Problem("No Chromium or Chrome was found: install one or set THROUGHLINE_CHROMIUM.")
    # Chromium's sandbox does not work for root, which is what containers and CI often run as.
    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(found), args=arguments)
        try:
            yield launched
        finally:
            launched.close()


def buy_a_ticket(page: Page, box_office: str) -> Purchase:
    """Buy one ticket of the first show that has any, paying with the card that is approved.

    Raises:
        Problem: the page doesn't let us, or the order doesn't end in time.
    """
    deadline_ms = PURCHASE_SECONDS * 1000
    try:
        page.goto(box_office)
        page.get_by_role("button", name="Buy ").first.click(timeout=deadline_ms)
        page.get_by_role("button", name="Fewer seats").click()
        page.get_by_role("button", name="Approved").click()
        began = time.monotonic()
        page.get_by_role("button", name="Pay").click()
        order = page.locator(".order[data-order-id]").first
        ended = ", ".join(f'.order[data-order-state="{state}"]' for state in _FINAL)
        page.locator(ended).first.wait_for(timeout=deadline_ms)
        wall_s = time.monotonic() - began
        said = {
            name: order.get_attribute(f"data-{name}") or ""
            for name in ("order-id", "order-state", "trace-id")
        }
    except BrowserError as error:
        why = error.message.splitlines()[0]
        raise Problem(f"The purchase did not go through: {why}") from error
    return Purchase(said["order-id"], said["order-state"], said["trace-id"], wall_s)


def whole_trace(observatory: Observatory, purchase: Purchase) -> Journey:
    """The purchase's trace, once the page's last update is in it and no parent is missing.

    Raises:
        Problem: it does not become whole in time; says what is missing.
    """
    last = f"order {purchase.order_state}"

    def is_whole(journey: Journey) -> bool:
        arrived = any(row["name"] == last for row in journey["rows"])
        settled = journey["last_received_ms_ago"] > 500
        return arrived and settled and journey["orphans"] == 0

    try:
        return observatory.wait_for_trace(purchase.trace_id, is_whole, TRACE_SECONDS)
    except TimeoutError as error:
        say(f"✗ The trace is not whole. {error}")
        return observatory.trace(purchase.trace_id)


def summary(purchase: Purchase, journey: Journey) -> dict[str, object]:
    """What `--buy --json` prints."""
    return {
        "trace_id": purchase.trace_id,
        "order_id": purchase.order_id,
        "order_state": purchase.order_state,
        "services": journey["services"],
        "hops": journey["hops"],
        "spans": journey["spans"],
        "orphans": journey["orphans"],
        "coverage": journey["coverage"],
        "errors": journey["errors"],
        "wall_s": round(purchase.wall_s, 3),
    }


def main() -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-offset", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ports = Ports(options.port_offset)
    try:
        with step("Buying a ticket in a browser"), browser() as chromium:
            purchase = buy_a_ticket(chromium.new_page(), ports.url("hosting"))
            # The page is still open: it delivers its last spans while we wait for them.
            with Observatory(ports.url("observatory")) as observatory:
                journey = whole_trace(observatory, purchase)
    except (Problem, ObservatoryError) as problem:
        say(f"✗ {problem}")
        return 1
    if options.json:
        print(json.dumps(summary(purchase, journey)))
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(render_waterfall(journey, colour=colour))
        print(f"\n{ports.url('observatory')}/traces/{purchase.trace_id}")
    whole = journey["orphans"] == 0 and journey["coverage"] == 1.0
    return 0 if whole and purchase.order_state == "ticketed" else 1


if __name__ == "__main__":
    sys.exit(main())
