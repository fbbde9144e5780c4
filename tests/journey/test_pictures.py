"""The documents' pictures of one purchase, taken from the running app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from observatory.client import Observatory
from observatory.schemas.journey import Journey
from tests import pictures
from tests.addresses import Addresses
from tests.journey.conftest import Till
from tests.spans import ORDER_SECONDS, one_row, rows_of

# A picture may be taken while the machine does other things.
PURCHASE_MS = 120_000


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where pictures go: into the documents when asked to, otherwise aside."""
    return pictures.FOLDER if request.config.getoption("--pictures") else tmp_path


@pytest.fixture
def explorer(browser: Browser) -> Iterator[Page]:
    """A page to take pictures of."""
    page = pictures.new_page(browser)
    yield page
    page.close()


@pytest.fixture
def purchase(
    browser: Browser,
    addresses: Addresses,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> Journey:
    """A whole purchase, from the click to the last update."""
    page = browser.new_page()
    page.goto(addresses.hosting)
    till, show_id = Till(page), open_show(seats=9)
    for _ in range(2):  # the first may find the functions cold, which is another story
        order = till.buy(show_id)
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


def test_pictures_of_a_purchase(
    purchase: Journey, explorer: Page, addresses: Addresses, folder: Path
) -> None:
    """As a whole, and at the three hops that the anatomy of one purchase looks at closely."""
    address = f"{addresses.observatory}/traces/{purchase['trace_id']}"
    (rules,) = rows_of(purchase, "firestore.rules")[:1]
    chosen = {
        "one-purchase": None,
        "purchase-hop": one_row(purchase, "charge", "charge"),
        "purchase-rules": rules,
        "purchase-webhook": one_row(purchase, "settle", "settle"),
    }
    for name, row in chosen.items():
        explorer.goto(f"{address}?span={row['span_id']}" if row else address)
        expect(explorer.get_by_role("treegrid")).to_be_visible()
        expect(explorer.get_by_text("still arriving")).to_have_count(0)
        if row is None:
            # So that all hops are to be seen at once.
            explorer.get_by_role("button", name="Collapse all").click()
            explorer.evaluate("scrollTo(0, 190)")
        else:
            expect(explorer.get_by_role("row", selected=True)).to_be_in_viewport()
        pictures.take(explorer, folder / f"{name}.png")
    explorer.goto(addresses.observatory)
    expect(explorer.locator("[data-trace-id]").first).to_be_visible()
    pictures.take(explorer, folder / "purchase-overview.png")
    assert {path.stem for path in folder.iterdir()} >= set(pictures.OF_A_PURCHASE)
