"""Actions of a person on the Box Office's pages, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, Route

from stack.clients.browser import browser
from stack.errors import LOGS_HINT, UserError

PAGE_MS = 60_000
APPROVED = "4242 4242 4242 4242"
SLOW_BANK = "4000 0000 0000 5100"

# A page reads its device's clock through Date and the origin of performance.now().
CLOCK = """
{
  const offset = %d;
  const OriginalDate = Date;
  globalThis.Date = class Date extends OriginalDate {
    constructor(...args) {
      super(...(args.length ? args : [OriginalDate.now() + offset]));
    }
    static now() {
      return OriginalDate.now() + offset;
    }
  };
  Object.defineProperty(performance, "timeOrigin", { value: performance.timeOrigin + offset });
}
"""


@contextmanager
def open_page(address: str, clock_offset: timedelta = timedelta(0)) -> Iterator[Page]:
    """Open a page in a new browser, on a device whose clock is ahead by `clock_offset`.

    Raises:
        UserError: an action on the page fails.
    """
    try:
        with browser() as chromium:
            page = chromium.new_page()
            page.set_default_timeout(PAGE_MS)
            if clock_offset:
                page.add_init_script(CLOCK % (clock_offset / timedelta(milliseconds=1)))
            page.goto(address)
            yield page
    except BrowserError as error:
        first_line = error.message.splitlines()[0]
        raise UserError(
            f"An action on the page failed: {first_line}",
            hint=f"Try it yourself at {address}. {LOGS_HINT}",
        ) from error


def buy(page: Page, show_id: str, card: str = APPROVED) -> None:
    """Buy tickets of a show with a card number, up to the click on Pay."""
    page.locator(f'[data-show-id="{show_id}"]').get_by_role("button", name="Buy").click()
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Pay").click()


def lose_connection_when_paying(page: Page) -> None:
    """Take the page offline after it has a token for the card, and before it sends the order.

    The page does not let its buyer pay if it is offline before that.
    """

    def go_offline(route: Route) -> None:
        token = route.fetch()
        page.context.set_offline(True)
        route.fulfill(response=token)

    page.route("**/tokens", go_offline)


def wait_for_order(page: Page, order_id: str, states: set[str]) -> None:
    """Wait until the page shows an order in one of `states`."""
    order = f'.order[data-order-id="{order_id}"]'
    selector = ", ".join(f'{order}[data-order-state="{state}"]' for state in sorted(states))
    page.locator(selector).first.wait_for()


def sign_in(page: Page, email: str, password: str) -> None:
    """Sign in on the organiser's page."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def create_show(page: Page, title: str) -> None:
    """Fill in the form for a new show, and submit it."""
    page.get_by_role("button", name="New show").click()
    for label, text in (
        ("Title", title),
        ("Venue", "Arches"),
        ("City", "Ghent"),
        ("In a sentence", "Five songs and a flood."),
        ("Day and time", "2037-03-04T20:00"),
        ("Price in €", "42,50"),
        ("Seats", "40"),
    ):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Put it on sale").click()
