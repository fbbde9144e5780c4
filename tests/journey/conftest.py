"""Fixtures of the browser tests: Chromium, the Box Office's page, an Observatory to look at."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from stack.clients.browser import browser as chromium
from stack.setup import install
from stack.setup.steps import setup_lock
from tests.addresses import Addresses
from tests.journey.observatory_server import (
    ObservatoryServer,
    explorer_page,
    observatory_in_a_thread,
)

# The first purchase starts every function cold, and a cold start takes seconds on a small machine.
expect.set_options(timeout=40_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, shared by all tests of the session."""
    with chromium() as browser:
        yield browser


def collect_refusals(page: Page, errors: list[str]) -> None:
    """Append what the page's Content Security Policy refuses to `errors`."""

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            errors.append(message.text)

    page.on("console", note)


@contextmanager
def open_page(browser: Browser, address: str) -> Iterator[Page]:
    """Yield the Box Office's page in a fresh browser profile.

    Fails on a script error in it, and on anything that its Content Security Policy refuses.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    collect_refusals(page, errors)
    page.goto(address)
    expect(page.locator("[data-show-id]").first).to_be_visible()
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def page(browser: Browser, addresses: Addresses) -> Iterator[Page]:
    """The Box Office's page, open in a fresh browser profile."""
    with open_page(browser, addresses.hosting) as page:
        yield page


class BoxOfficePage:
    """Page object of the buyer's page."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def show(self, show_id: str) -> Locator:
        """Return the card of a show."""
        return self._page.locator(f'[data-show-id="{show_id}"]')

    def open(self, show_id: str) -> None:
        """Open a show's purchase dialog and choose one seat."""
        self.show(show_id).get_by_role("button", name="Buy").click()
        fewer = self._page.get_by_role("button", name="Fewer seats")
        if fewer.is_enabled():
            fewer.click()

    def pay(self, card: str = "Approved") -> Locator:
        """Pay with the test card of that name; return the order that appears."""
        self._page.get_by_role("button", name=re.compile(f"^{card}")).click()
        self._page.get_by_role("button", name="Pay").click()
        order = self._page.locator(".order[data-order-id]").first
        expect(order).to_be_visible()
        return order

    def buy(self, show_id: str, card: str = "Approved") -> Locator:
        """Buy one ticket; return the order that appears."""
        self.open(show_id)
        return self.pay(card)


@pytest.fixture
def box_office_page(page: Page) -> BoxOfficePage:
    """The page object of the open Box Office page."""
    return BoxOfficePage(page)


@pytest.fixture
def new_account(addresses: Addresses) -> Callable[[], tuple[str, str]]:
    """Signs up a new account; returns its e-mail address and password."""

    def sign_up() -> tuple[str, str]:
        email, password = f"{secrets.token_hex(6)}@example.org", "correct-horse"
        httpx.post(
            f"{addresses.auth}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=any",
            json={"email": email, "password": password, "returnSecureToken": True},
            timeout=30,
        ).raise_for_status()
        return email, password

    return sign_up


@pytest.fixture(scope="session")
def explorer_build() -> Path:
    """The folder of the explorer, built from the current sources."""
    with setup_lock():
        return install.explorer()


@pytest.fixture
def server(explorer_build: Path, tmp_path: Path) -> Iterator[ObservatoryServer]:
    """An empty Observatory for this test alone, with the built explorer."""
    with observatory_in_a_thread(tmp_path / "spans.duckdb", explorer_build) as server:
        yield server


@pytest.fixture
def new_page(browser: Browser, server: ObservatoryServer) -> Iterator[Callable[..., Page]]:
    """Opens pages for the test's own Observatory, with the options of `explorer_page`."""
    with ExitStack() as pages:
        yield lambda **options: pages.enter_context(explorer_page(browser, server.url, **options))
