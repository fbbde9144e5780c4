"""Open the explorer's overview and a plain page for the first time, and time what is seen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser
from playwright.sync_api import Error as BrowserError

from stack.clients.browser_purchase import browser
from stack.errors import UserError

VIEWPORT_PX = (1280, 900)
# A page that the same server has, and that shows text as soon as it is there.
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
# Noted in the page, so that the way to this process and back does not count.
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
    """Open both pages as somebody who was never there."""
    width, height = VIEWPORT_PX
    found: dict[str, Any] = {}
    for name, path in (("overview_ms", "/"), ("plain_ms", PLAIN)):
        context = chromium.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        if path == "/":
            page.add_init_script(NOTE_LISTED)
        page.goto(f"{url}{path}")
        found[name] = page.evaluate(PAINTED_MS)
        if path == "/":
            page.locator(".traces tbody tr").first.wait_for(timeout=30_000)
            found |= page.evaluate("({ listed_ms: window.listed_ms, scripts: window.scripts })")
        context.close()
    return found


def measure(url: str, times: int) -> list[dict[str, Any]]:
    """Open both pages of the Observatory at `url` so many times, and return what was timed.

    Raises:
        UserError: the browser does not show them.
    """
    try:
        with browser() as chromium:
            open_once(chromium, url)  # the browser's own first page is slow
            return [open_once(chromium, url) for _ in range(times)]
    except BrowserError as error:
        why = error.message.splitlines()[0]
        raise UserError(f"The browser did not show the overview: {why}") from error
