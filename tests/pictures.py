"""The screenshots of the documentation, and how tests take them.

To take them all again, on an otherwise idle machine:
`./scripts/test journey scenarios -- -k picture --pictures`
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
BYTES_MAX = 150 * 1024
WIDTH_PX, HEIGHT_PX = 1280, 700

#: Screenshots of one purchase, taken by tests/journey/test_pictures.py.
OF_A_PURCHASE = (
    "one-purchase",
    "purchase-hop",
    "purchase-rules",
    "purchase-webhook",
    "purchase-overview",
)


def of_scenario(name: str) -> str:
    """Return the name of a scenario's screenshot, taken by tests/scenarios/test_pictures.py."""
    return f"scenario-{name}"


def new_page(browser: Browser) -> Page:
    """Open a page of the screenshots' size, in the light scheme, with reduced motion."""
    return browser.new_page(
        viewport={"width": WIDTH_PX, "height": HEIGHT_PX},
        color_scheme="light",
        reduced_motion="reduce",
    )


def take(page: Page, path: Path) -> None:
    """Take a screenshot of the visible part of a page.

    Raises:
        ValueError: if the file is larger than BYTES_MAX, which bounds a page's loading time.
    """
    page.evaluate("document.fonts.ready")
    page.screenshot(path=path, animations="disabled")
    if (size := path.stat().st_size) > BYTES_MAX:
        raise ValueError(f"{path.name} has {size} bytes; at most {BYTES_MAX} are allowed")
