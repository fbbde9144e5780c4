"""Turns the wheel through a trace and through an empty page, and times the frames.

Runs in the environment that install.py made, like buy.py. For each turn one line of JSON has the
milliseconds between the frames of either page.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from stack.buy import browser
from stack.console import say
from stack.problem import Problem

# As far as a brisk flick of a wheel goes, so that new rows come with nearly every frame.
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
    """The milliseconds between frames while the wheel turns from the top of the page to its end.

    Raises:
        Problem: the end is not reached.
    """
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(VIEWPORT_PX[0] / 2, VIEWPORT_PX[1] / 2)
    height = int(page.evaluate(HEIGHT))
    page.evaluate(RECORD)
    for _ in range(height // NOTCH_PX + 1):
        page.mouse.wheel(0, NOTCH_PX)
        page.wait_for_timeout(TURN_MS)
    seen: list[float] = page.evaluate(RECORDED)
    page.wait_for_function(AT_END, timeout=10_000)
    return [after - before for before, after in pairwise(seen)]


def open_trace(page: Page, address: str, rows: int) -> int:
    """Open it, and return how high the page is once all its rows have room."""
    page.goto(address)
    page.locator(f"[role=treegrid][aria-rowcount='{rows}']").wait_for(timeout=60_000)
    return int(page.evaluate(HEIGHT))


def check_end(page: Page, rows: int) -> None:
    """Say so when the last row isn't there, or when all rows are in the document.

    Raises:
        Problem: either is so.
    """
    page.locator(f"[aria-rowindex='{rows}']").wait_for(timeout=10_000)
    drawn = page.locator(".row").count()
    if drawn > ROWS_DRAWN_MAX:
        raise Problem(f"{drawn} rows are in the document: only those in sight should be.")


def main() -> int:
    """Arguments: the trace's address, how many rows it has, and how many turns to take."""
    address, rows, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
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
                said = {"trace": of_trace, "empty": between_frames(empty)}
                print(json.dumps(said), flush=True)
    except (Problem, BrowserError) as problem:
        say(f"✗ {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
