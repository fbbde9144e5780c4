"""Buy one ticket as a person does, in a real browser, and fetch its trace."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from observatory.client import Observatory
from observatory.schemas.journey import Journey
from stack.clients.errors import stack_errors
from stack.console import print_line, step
from stack.errors import UserError
from stack.local.addresses import StackAddresses
from stack.setup import toolchain

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
    """Yield a headless Chromium.

    Raises:
        UserError: there is none.
    """
    executable = toolchain.chromium()
    if executable is None:
        raise UserError(
            "No Chromium or Chrome was found.", hint="Install one, or set THROUGHLINE_CHROMIUM."
        )
    # Chromium's sandbox does not work for root, which is what containers and CI often run as.
    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(executable), args=arguments)
        try:
            yield launched
        except KeyboardInterrupt:
            # A Ctrl-C at the terminal ends Playwright's driver too, and with it the browser;
            # asyncio would log that once this process ends.
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)
            raise
        finally:
            with suppress(BrowserError):
                launched.close()


def buy_a_ticket(page: Page, box_office: str) -> Purchase:
    """Buy one ticket of the first show that has any, paying with the card that is approved.

    Raises:
        UserError: the page doesn't let us, or the order doesn't end in time.
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
        shown = {
            name: order.get_attribute(f"data-{name}") or ""
            for name in ("order-id", "order-state", "trace-id")
        }
    except BrowserError as error:
        why = error.message.splitlines()[0]
        raise UserError(f"The purchase did not go through: {why}") from error
    return Purchase(shown["order-id"], shown["order-state"], shown["trace-id"], wall_s)


def whole_trace(observatory: Observatory, purchase: Purchase) -> Journey:
    """The purchase's trace, once the page's last update is in it and no parent is missing.

    Raises:
        UserError: it does not become whole in time; says what is missing.
    """
    last = f"order {purchase.order_state}"

    def is_whole(journey: Journey) -> bool:
        arrived = any(row["name"] == last for row in journey["rows"])
        settled = journey["last_received_ms_ago"] > 500
        return arrived and settled and journey["orphans"] == 0

    try:
        return observatory.wait_for_trace(purchase.trace_id, is_whole, TRACE_SECONDS)
    except TimeoutError as error:
        print_line(f"✗ The trace is not whole. {error}")
        return observatory.trace(purchase.trace_id)


def buy_and_trace(addresses: StackAddresses) -> tuple[Purchase, Journey]:
    """Buy one ticket on a running stack, and return it with its whole trace.

    Raises:
        UserError: there is no browser, the purchase fails, or the Observatory does not answer.
    """
    with stack_errors(), step("Buying a ticket in a browser"), browser() as chromium:
        purchase = buy_a_ticket(chromium.new_page(), addresses.hosting)
        # The page is still open: it delivers its last spans while we wait for them.
        with Observatory(addresses.observatory) as observatory:
            return purchase, whole_trace(observatory, purchase)


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
