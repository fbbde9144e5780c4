"""The documentation site, as Hosting serves it, in a browser."""

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
from tests.journey.conftest import collect_refusals

SECONDS = 30.0


@pytest.fixture(params=["light", "dark"])
def site(request: pytest.FixtureRequest, browser: Browser, addresses: Addresses) -> Iterator[Page]:
    """The site's first page; fails if any request fails or goes to another host."""
    context = browser.new_context(color_scheme=request.param)
    page = context.new_page()
    requested: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("response", lambda response: None if response.ok else failed.append(response.url))
    collect_refusals(page, failed)
    page.goto(f"{addresses.hosting}/{install.DOCS}/")
    yield page
    context.close()
    own_host = urlsplit(addresses.hosting).netloc
    elsewhere = [url for url in requested if urlsplit(url).netloc not in (own_host, "")]
    assert (elsewhere, failed) == ([], [])


def test_search_opens_the_matching_page(site: Page) -> None:
    """The keys are Ctrl+K, a word, and Enter."""
    site.wait_for_load_state("networkidle")
    site.keyboard.press("Control+k")
    deadline = time.monotonic() + SECONDS
    # Not with wait_for_function, whose repeated `eval` the Content Security Policy refuses.
    while site.evaluate("document.activeElement === document.body"):
        assert time.monotonic() < deadline
        site.wait_for_timeout(50)
    # In one step: typed letter by letter, Enter could open a result for the first few letters.
    site.keyboard.insert_text("tally")
    # The results are in a closed shadow root, so the test can't wait for them. Enter does nothing
    # until they have arrived.
    while "?h=" not in site.url and time.monotonic() < deadline:
        site.keyboard.press("Enter")
        site.wait_for_timeout(200)
    expect(site).to_have_url(re.compile(r"\?h=tally"))
    expect(site.locator("article")).to_contain_text(re.compile("tally", re.IGNORECASE))


def test_the_site_follows_the_colour_scheme_and_its_navigation_works(site: Page) -> None:
    is_dark = site.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    scheme = "slate" if is_dark else "default"
    expect(site.locator(f'body[data-md-color-scheme="{scheme}"]')).to_be_visible()
    site.get_by_role("link", name="Anatomy of one purchase").first.click()
    expect(site.get_by_role("heading", level=1)).to_contain_text("Anatomy of one purchase")


def test_an_unknown_page_gets_the_sites_own_404(addresses: Addresses) -> None:
    """Elsewhere, Hosting rewrites unknown paths to the Box Office's page."""
    response = httpx.get(f"{addresses.hosting}/{install.DOCS}/nowhere.html").raise_for_status()
    assert "404" in response.text
    assert "Throughline" in response.text


def test_the_site_is_in_the_folder_that_is_deployed() -> None:
    """Everything below the folder that firebase.json names goes to Hosting."""
    assert (paths.PAGE / install.DOCS / "index.html").is_file()
