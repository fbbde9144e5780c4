"""Opens the overview and a plain page without a cache, and measures their first paint."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser
from playwright.sync_api import Error as BrowserError

from stack.clients.browser import browser
from stack.errors import UserError

VIEWPORT_PX = (1280, 900)
# A page of the same server that is only text.
PLAIN = "/api/health"
PAINTED_MS = """() => new Promise((painted) => {
  const seen = () => performance.getEntriesByName("first-contentful-paint")[0];
  if (seen()) painted(seen().startTime);
  else new PerformanceObserver((list, observer) => {
    if (!seen()) return;
    observer.disconnect();
    painted(seen().startTime);
  }).observe({ type: "paint", buffered: true });
})"""
# Recorded in the page, so that the round trip to this process does not count.
NOTE_LISTED = """new MutationObserver((_, observer) => {
  if (!document.querySelector(".traces tbody tr")) return;
  observer.disconnect();
  window.listed_ms = performance.now();
  window.scripts = performance.getEntriesByType("resource")
    .map(({ name }) => new URL(name).pathname)
    .filter((path) => path.endsWith(".js"))
    .map((path) => path.split("/").pop());
}).observe(document, { childList: true, subtree: true })"""


def open_once(chromium: Browser, url: str) -> dict[str, Any]:
    """Open both pages in new browser contexts, and return their times and scripts."""
    width, height = VIEWPORT_PX
    times: dict[str, Any] = {}
    for name, path in (("overview_ms", "/"), ("plain_ms", PLAIN)):
        context = chromium.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        if path == "/":
            page.add_init_script(NOTE_LISTED)
        page.goto(f"{url}{path}")
        times[name] = page.evaluate(PAINTED_MS)
        if path == "/":
            page.locator(".traces tbody tr").first.wait_for(timeout=30_000)
            times |= page.evaluate("({ listed_ms: window.listed_ms, scripts: window.scripts })")
        context.close()
    return times


def measure(url: str, runs: int) -> list[dict[str, Any]]:
    """Open both pages of the Observatory at `url` `runs` times, and return the times of each run.

    Raises:
        UserError: the browser does not show a page.
    """
    try:
        with browser() as chromium:
            open_once(chromium, url)  # the browser's own first page is slow
            return [open_once(chromium, url) for _ in range(runs)]
    except BrowserError as error:
        first_line = error.message.splitlines()[0]
        raise UserError(f"The browser did not show the overview: {first_line}") from error
