"""Buy one ticket in a real browser, and fetch its trace."""

from __future__ import annotations

import time
from dataclasses import dataclass

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from observatory.client import Observatory
from observatory.schemas.journey import Journey
from stack.clients.browser import browser
from stack.clients.errors import stack_errors
from stack.console import print_line, step
from stack.errors import LOGS_HINT, UserError
from stack.local.addresses import StackAddresses

PURCHASE_SECONDS = 60
TRACE_SECONDS = 20

_FINAL = ("ticketed", "rejected", "declined", "expired", "failed")


@dataclass(frozen=True)
class Purchase:
    """The final state of a purchase as the page showed it.

    `wall_s` is the time in seconds from the click on Pay until the page showed that state.
    """

    order_id: str
    order_state: str
    trace_id: str
    wall_s: float


def buy_a_ticket(page: Page, box_office: str) -> Purchase:
    """Buy one ticket of the first show that has seats, with the test card “Approved”.

    Raises:
        UserError: the purchase fails in the page, or the order reaches no final state in time.
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
        first_line = error.message.splitlines()[0]
        raise UserError(
            f"The purchase failed in the browser: {first_line}", hint=LOGS_HINT
        ) from error
    return Purchase(shown["order-id"], shown["order-state"], shown["trace-id"], wall_s)


def whole_trace(observatory: Observatory, purchase: Purchase) -> Journey:
    """Wait until the purchase's trace is complete, and return it.

    A trace is complete when it has the page's last update, no orphans, and no new spans arrive. If
    it is not complete in time, print what is missing and return what is stored.
    """
    last = f"order {purchase.order_state}"

    def is_whole(journey: Journey) -> bool:
        arrived = any(row["name"] == last for row in journey["rows"])
        settled = journey["last_received_ms_ago"] > 500
        return arrived and settled and journey["orphans"] == 0

    try:
        return observatory.wait_for_trace(purchase.trace_id, is_whole, TRACE_SECONDS)
    except TimeoutError as error:
        print_line(f"✗ The trace is incomplete after {TRACE_SECONDS} s. {error}")
        return observatory.trace(purchase.trace_id)


def buy_and_trace(addresses: StackAddresses) -> tuple[Purchase, Journey]:
    """Buy one ticket on a running stack, and return the purchase with its complete trace.

    Raises:
        UserError: no browser is installed, the purchase fails, or the Observatory does not answer.
    """
    with stack_errors(), step("Buying a ticket in a browser"), browser() as chromium:
        purchase = buy_a_ticket(chromium.new_page(), addresses.hosting)
        # The page is still open, and exports its last spans during the wait.
        with Observatory(addresses.observatory) as observatory:
            return purchase, whole_trace(observatory, purchase)


def summary(purchase: Purchase, journey: Journey) -> dict[str, object]:
    """Return the object that `--buy --json` prints."""
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
