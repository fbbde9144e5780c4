"""The documents' site, as Hosting serves it: in a real browser, with no other host at hand."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stack import paths
from stack.setup import install
from tests.addresses import Addresses

SECONDS = 30.0


@pytest.fixture(params=["light", "dark"])
def site(request: pytest.FixtureRequest, browser: Browser, addresses: Addresses) -> Iterator[Page]:
    """Its first page; fails where anything comes from elsewhere, or is not there."""
    context = browser.new_context(color_scheme=request.param)
    page = context.new_page()
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.on("response", lambda came: failed.append(came.url) if not came.ok else None)
    page.goto(f"{addresses.hosting}/{install.DOCS}/")
    yield page
    context.close()
    ours = urlsplit(addresses.hosting).netloc
    others = [url for url in asked if urlsplit(url).netloc not in (ours, "")]
    assert (others, failed) == ([], [])


def test_it_can_be_searched(site: Page) -> None:
    """Enter leads to the page that has the words."""
    site.wait_for_load_state("networkidle")
    site.keyboard.press("Control+k")
    site.wait_for_function("document.activeElement !== document.body")
    # At once: letter by letter, Enter would take what was found of the first few.
    site.keyboard.insert_text("tally")
    deadline = time.monotonic() + SECONDS
    # Its results are in a closed shadow root, so that nobody can see from here when they are there;
    # until they are, Enter does nothing.
    while "?h=" not in site.url and time.monotonic() < deadline:
        site.keyboard.press("Enter")
        site.wait_for_timeout(200)
    expect(site).to_have_url(re.compile(r"\?h=tally"))
    expect(site.locator("article")).to_contain_text(re.compile("tally", re.IGNORECASE))


def test_it_is_light_or_dark_as_the_reader_has_it(site: Page) -> None:
    """And every page is in its navigation."""
    is_dark = site.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    scheme = "slate" if is_dark else "default"
    expect(site.locator(f'body[data-md-color-scheme="{scheme}"]')).to_be_visible()
    site.get_by_role("link", name="Anatomy of one purchase").first.click()
    expect(site.get_by_role("heading", level=1)).to_contain_text("Anatomy of one purchase")


def test_a_page_that_is_not_there_is_not_the_box_office(addresses: Addresses) -> None:
    """Which is what Hosting answers elsewhere, since the page finds its way by itself."""
    page = httpx.get(f"{addresses.hosting}/{install.DOCS}/nowhere.html").raise_for_status()
    assert "404" in page.text
    assert "Throughline" in page.text


def test_what_is_deployed_has_it_too() -> None:
    """firebase.json names this folder, and everything below it goes to Hosting."""
    assert (paths.PAGE / install.DOCS / "index.html").is_file()
