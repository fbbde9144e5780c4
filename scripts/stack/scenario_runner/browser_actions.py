"""What a person does at the Box Office's pages, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, Route

from stack.clients.browser_purchase import browser
from stack.errors import UserError

PAGE_MS = 60_000
APPROVED = "4242 4242 4242 4242"
SLOW_BANK = "4000 0000 0000 5100"

# Date and the origin of performance.now() are what a page has of its device's clock.
CLOCK = """
{
  const off = %d;
  const Right = Date;
  globalThis.Date = class Date extends Right {
    constructor(...when) {
      super(...(when.length ? when : [Right.now() + off]));
    }
    static now() {
      return Right.now() + off;
    }
  };
  Object.defineProperty(performance, "timeOrigin", { value: performance.timeOrigin + off });
}
"""


@contextmanager
def open_page(address: str, clock_off: timedelta = timedelta(0)) -> Iterator[Page]:
    """A browser at that address, on a device whose clock is so far ahead of the right time.

    Raises:
        UserError: the page does not let us do what is done at it.
    """
    try:
        with browser() as chromium:
            page = chromium.new_page()
            page.set_default_timeout(PAGE_MS)
            if clock_off:
                page.add_init_script(CLOCK % (clock_off / timedelta(milliseconds=1)))
            page.goto(address)
            yield page
    except BrowserError as error:
        raise UserError(f"The page did not do its part: {error.message.splitlines()[0]}") from error


def buy(page: Page, show_id: str, card: str = APPROVED) -> None:
    """Buy tickets of that show with the card of that number, as far as pressing the button."""
    page.locator(f'[data-show-id="{show_id}"]').get_by_role("button", name="Buy").click()
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Pay").click()


def lose_connection_when_paying(page: Page) -> None:
    """Have the page be without a connection from when its card is known, before the order is sent.

    Before that it would not let its buyer pay, for this very reason.
    """

    def answer(route: Route) -> None:
        token = route.fetch()
        page.context.set_offline(True)
        route.fulfill(response=token)

    page.route("**/tokens", answer)


def wait_for_order(page: Page, order_id: str, states: set[str]) -> None:
    """Return when the page shows an order in one of these states."""
    shown = f'.order[data-order-id="{order_id}"]'
    ended = ", ".join(f'{shown}[data-order-state="{state}"]' for state in sorted(states))
    page.locator(ended).first.wait_for()


def sign_in(page: Page, email: str, password: str) -> None:
    """Sign in on the organiser's page."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def create_show(page: Page, title: str) -> None:
    """Fill in the form for a new show, and send it."""
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
