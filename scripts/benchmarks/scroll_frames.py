"""Scrolls a trace and an empty page with the mouse wheel, and measures the time between frames."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from stack.clients.browser import browser
from stack.errors import UserError

# As far as a quick turn of a wheel, so that new rows appear with nearly every frame.
NOTCH_PX = 400
TURN_MS = 10
VIEWPORT_PX = (1280, 900)
ROWS_DRAWN_MAX = 200

RECORD = """() => {
  window.frames_seen = [];
  const note = (at) => {
    window.frames_seen.push(at);
    window.frames_asked = requestAnimationFrame(note);
  };
  window.frames_asked = requestAnimationFrame(note);
}"""
RECORDED = "() => { cancelAnimationFrame(window.frames_asked); return window.frames_seen; }"
HEIGHT = "document.documentElement.scrollHeight"
AT_END = f"Math.ceil(scrollY + innerHeight) >= {HEIGHT} - 1"


def between_frames(page: Page) -> list[float]:
    """Scroll from the top of the page to its end, and return the milliseconds between frames.

    Raises:
        BrowserError: the end is not reached.
    """
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(VIEWPORT_PX[0] / 2, VIEWPORT_PX[1] / 2)
    height = int(page.evaluate(HEIGHT))
    page.evaluate(RECORD)
    for _ in range(height // NOTCH_PX + 1):
        page.mouse.wheel(0, NOTCH_PX)
        page.wait_for_timeout(TURN_MS)
    frames_ms: list[float] = page.evaluate(RECORDED)
    page.wait_for_function(AT_END, timeout=10_000)
    return [after - before for before, after in pairwise(frames_ms)]


def open_trace(page: Page, address: str, rows: int) -> int:
    """Open a trace with `rows` rows, and return the height of its page in pixels."""
    page.goto(address)
    page.locator(f"[role=treegrid][aria-rowcount='{rows}']").wait_for(timeout=60_000)
    return int(page.evaluate(HEIGHT))


def check_end(page: Page, rows: int) -> None:
    """Check that the last row is in the document, and that rows out of sight are not.

    Raises:
        BrowserError: the last row is missing.
        UserError: the document has too many rows.
    """
    page.locator(f"[aria-rowindex='{rows}']").wait_for(timeout=10_000)
    drawn = page.locator(".row").count()
    if drawn > ROWS_DRAWN_MAX:
        raise UserError(
            f"{drawn} rows are in the document, more than {ROWS_DRAWN_MAX}: rows out of sight must "
            "not be drawn."
        )


def measure(address: str, rows: int, turns: int) -> Iterator[tuple[list[float], list[float]]]:
    """Scroll through both pages in turn, and yield the milliseconds between their frames.

    Args:
        address: URL of the trace.
        rows: number of rows of the trace.
        turns: how often to scroll through each page.

    Raises:
        UserError: the browser does not reach the end of the trace.
    """
    width, height = VIEWPORT_PX
    try:
        with browser() as chromium:
            context = chromium.new_context(viewport={"width": width, "height": height})
            trace, empty = context.new_page(), context.new_page()
            page_px = open_trace(trace, address, rows)
            empty.set_content(f'<body style="margin:0"><div style="height:{page_px}px"></div>')
            for _ in range(turns):
                trace.bring_to_front()
                of_trace = between_frames(trace)
                check_end(trace, rows)
                empty.bring_to_front()
                yield of_trace, between_frames(empty)
    except BrowserError as error:
        first_line = error.message.splitlines()[0]
        raise UserError(f"Scrolling to the end of the trace failed: {first_line}") from error
