"""The documents' pictures, taken from the running app."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from observatory.client import Observatory
from tests.addresses import Addresses
from tests.buyer import BoxOffice
from tests.journey.conftest import Till
from tests.spans import ORDER_SECONDS, rows_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where pictures go: into the documents when asked to, otherwise aside."""
    return ROOT / "docs" / "pictures" if request.config.getoption("--pictures") else tmp_path


def test_one_purchase(
    browser: Browser,
    addresses: Addresses,
    observatory: Observatory,
    box_office: BoxOffice,
    open_show: Callable[..., str],
    folder: Path,
) -> None:
    """The README's: a whole purchase in the Observatory, from the click to the last update."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, device_scale_factor=2, color_scheme="light"
    )
    page = context.new_page()
    page.goto(addresses.hosting)
    till, show_id = Till(page), open_show(seats=9)
    for _ in range(2):  # the first may find the functions cold, which is another story
        order = till.buy(show_id)
        expect(order).to_have_attribute("data-order-state", "ticketed")
    trace_id = order.get_attribute("data-trace-id") or ""
    observatory.wait_for_trace(
        trace_id,
        lambda seen: bool(rows_of(seen, "page", "order ticketed")) and seen["orphans"] == 0,
        ORDER_SECONDS,
    )
    explorer = context.new_page()
    explorer.goto(f"{addresses.observatory}/traces/{trace_id}")
    stage = explorer.get_by_text("charge", exact=True).first
    expect(stage).to_be_visible()
    stage.click()
    expect(explorer.get_by_text("still arriving")).to_have_count(0)
    picture = folder / "one-purchase.png"
    explorer.screenshot(path=picture, full_page=True)
    context.close()
    assert picture.stat().st_size > 50_000
