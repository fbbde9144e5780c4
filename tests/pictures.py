"""The documents' pictures, each by the test that takes it. Renew them all on a machine at rest:
./scripts/test journey scenarios -- -k picture --pictures"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
BYTES_MAX = 150 * 1024
WIDTH_PX, HEIGHT_PX = 1280, 700

#: Of one purchase, by tests/journey/test_pictures.py.
OF_A_PURCHASE = (
    "one-purchase",
    "purchase-hop",
    "purchase-rules",
    "purchase-webhook",
    "purchase-overview",
)


def of_scenario(name: str) -> str:
    """The picture of a scenario's trace, by tests/scenarios/test_pictures.py."""
    return f"scenario-{name}"


def new_page(browser: Browser) -> Page:
    """A page as wide as a picture, in the light scheme, in which nothing moves."""
    return browser.new_page(
        viewport={"width": WIDTH_PX, "height": HEIGHT_PX},
        color_scheme="light",
        reduced_motion="reduce",
    )


def take(page: Page, path: Path) -> None:
    """Take the picture of what is to be seen of a page now.

    Raises:
        ValueError: it has more bytes than a reader should have to wait for.
    """
    page.evaluate("document.fonts.ready")
    page.screenshot(path=path, animations="disabled")
    if (size := path.stat().st_size) > BYTES_MAX:
        raise ValueError(f"{path.name} has {size} bytes, and {BYTES_MAX} are the most")
