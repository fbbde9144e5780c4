"""A real browser, and what a person does with the page in it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from stack.clients.browser_purchase import browser as chromium
from tests.addresses import Addresses
from tests.journey.observatory_server import (
    OwnObservatory,
    build_explorer,
    explorer_page,
    observatory_in_a_thread,
)

# The first purchase finds every function cold, and a cold start takes seconds on a small machine.
expect.set_options(timeout=40_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, addresses: Addresses) -> Iterator[Page]:
    """The Box Office, opened by somebody who was never there; fails on an error in the page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(addresses.hosting)
    expect(page.locator("[data-show-id]").first).to_be_visible()
    yield page
    context.close()
    assert errors == []


class Till:
    """Buying on the page."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def show(self, show_id: str) -> Locator:
        """A show's card."""
        return self._page.locator(f'[data-show-id="{show_id}"]')

    def open(self, show_id: str) -> None:
        """Open the dialog for one ticket of a show."""
        self.show(show_id).get_by_role("button", name="Buy").click()
        fewer = self._page.get_by_role("button", name="Fewer seats")
        if fewer.is_enabled():
            fewer.click()

    def pay(self, card: str = "Approved") -> Locator:
        """Pay with a test card, and return the order that appears."""
        self._page.get_by_role("button", name=card).click()
        self._page.get_by_role("button", name="Pay").click()
        order = self._page.locator(".order[data-order-id]").first
        expect(order).to_be_visible()
        return order

    def buy(self, show_id: str, card: str = "Approved") -> Locator:
        """Buy one ticket, and return the order that appears."""
        self.open(show_id)
        return self.pay(card)


@pytest.fixture
def till(page: Page) -> Till:
    """Buying on the page."""
    return Till(page)


@pytest.fixture
def new_account(addresses: Addresses) -> Callable[[], tuple[str, str]]:
    """Signs somebody up with an e-mail address; returns it, and the password."""

    def sign_up() -> tuple[str, str]:
        email, password = f"{secrets.token_hex(6)}@example.org", "none-of-ours"
        httpx.post(
            f"{addresses.auth}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=any",
            json={"email": email, "password": password, "returnSecureToken": True},
            timeout=30,
        ).raise_for_status()
        return email, password

    return sign_up


@pytest.fixture(scope="session")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the explorer, built from the sources as they are."""
    return build_explorer(tmp_path_factory.mktemp("explorer"))


@pytest.fixture
def running(explorer: Path, tmp_path: Path) -> Iterator[OwnObservatory]:
    """An empty Observatory of the test's own, with the built explorer."""
    with observatory_in_a_thread(tmp_path / "spans.duckdb", explorer) as server:
        yield server


@pytest.fixture
def new_page(browser: Browser, running: OwnObservatory) -> Iterator[Callable[..., Page]]:
    """Makes pages for the test's own Observatory; takes what `explorer_page` does."""
    with ExitStack() as opened:
        yield lambda **how: opened.enter_context(explorer_page(browser, running.url, **how))
