"""Take the documentation's screenshots of one purchase from the running app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from observatory.client import Observatory
from observatory.schemas.journey import Journey
from tests import pictures
from tests.addresses import Addresses
from tests.journey.conftest import BoxOfficePage
from tests.spans import ORDER_SECONDS, one_row, rows_of

# Generous, because screenshots may be taken on a busy machine.
PURCHASE_MS = 120_000


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder for screenshots: with --pictures the documentation's, else a temporary one."""
    return pictures.FOLDER if request.config.getoption("--pictures") else tmp_path


@pytest.fixture
def picture_page(browser: Browser) -> Iterator[Page]:
    """A blank page of the screenshots' size."""
    page = pictures.new_page(browser)
    yield page
    page.close()


@pytest.fixture
def purchase(
    request: pytest.FixtureRequest,
    browser: Browser,
    addresses: Addresses,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> Journey:
    """The complete trace of a purchase, from the click to the last update."""
    page = browser.new_page()
    page.goto(addresses.hosting)
    box_office_page, show_id = BoxOfficePage(page), open_show(seats=9)
    # The first purchase may include cold starts, which the documentation's pictures don't show.
    for _ in range(2 if request.config.getoption("--pictures") else 1):
        order = box_office_page.buy(show_id)
        expect(order).to_have_attribute("data-order-state", "ticketed", timeout=PURCHASE_MS)
    trace_id = order.get_attribute("data-trace-id") or ""
    journey = observatory.wait_for_trace(
        trace_id,
        lambda seen: bool(
            rows_of(seen, "page", "order ticketed")
            and rows_of(seen, "firestore.rules")
            and rows_of(seen, "audit")
            and seen["orphans"] == 0
            and seen["last_received_ms_ago"] > 3_000
        ),
        ORDER_SECONDS,
    )
    page.close()
    return journey


def test_a_picture_of_each_part_of_a_purchase_can_be_taken(
    purchase: Journey, picture_page: Page, addresses: Addresses, folder: Path
) -> None:
    """The whole trace, the three spans that "Anatomy of one purchase" explains, the overview."""
    address = f"{addresses.observatory}/traces/{purchase['trace_id']}"
    (rules,) = rows_of(purchase, "firestore.rules")[:1]
    selected_rows = {
        "one-purchase": None,
        "purchase-hop": one_row(purchase, "charge", "charge"),
        "purchase-rules": rules,
        "purchase-webhook": one_row(purchase, "settle", "settle"),
    }
    for name, row in selected_rows.items():
        picture_page.goto(f"{address}?span={row['span_id']}" if row else address)
        expect(picture_page.get_by_role("treegrid")).to_be_visible()
        expect(picture_page.get_by_text("still arriving")).to_have_count(0)
        if row is None:
            # Shows all hops in one screenshot.
            picture_page.get_by_role("button", name="Collapse all").click()
            picture_page.evaluate("scrollTo(0, 190)")
        else:
            expect(picture_page.get_by_role("row", selected=True)).to_be_in_viewport()
        pictures.take(picture_page, folder / f"{name}.png")
    picture_page.goto(addresses.observatory)
    expect(picture_page.locator("[data-trace-id]").first).to_be_visible()
    pictures.take(picture_page, folder / "purchase-overview.png")
    assert {path.stem for path in folder.iterdir()} >= set(pictures.OF_A_PURCHASE)
