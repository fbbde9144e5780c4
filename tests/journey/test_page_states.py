"""What the page does when things are not as they should be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.accessibility import violations
from tests.addresses import Addresses
from tests.journey.conftest import Till


def test_offline_it_says_so_pauses_buying_and_comes_back(
    till: Till, page: Page, open_show: Callable[..., str]
) -> None:
    """No order is written that would arrive at some other time."""
    buy = till.show(open_show(seats=5)).get_by_role("button", name="Buy")
    expect(buy).to_be_enabled()
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline").first).to_be_visible()
    expect(buy).to_be_disabled()
    page.context.set_offline(False)
    expect(buy).to_be_enabled()


def test_signed_out_it_explains_and_offers_the_way_back(
    till: Till, page: Page, open_show: Callable[..., str]
) -> None:
    """The shows stay; buying needs a guest, one click away."""
    buy = till.show(open_show(seats=5)).get_by_role("button", name="Buy")
    expect(buy).to_be_enabled()
    page.get_by_role("button", name="Sign out").click()
    expect(buy).to_be_disabled()
    page.get_by_role("button", name="Continue as a guest").first.click()
    expect(buy).to_be_enabled()


def test_a_number_that_is_no_cards_is_refused_before_any_order(
    till: Till, page: Page, open_show: Callable[..., str]
) -> None:
    """The field says what is wrong; nothing was ordered."""
    till.open(open_show(seats=5))
    page.get_by_label("Card number").fill("4242 4242 4242 4241")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("a digit is mistyped").first).to_be_visible()
    expect(page.locator(".order[data-order-id]")).to_have_count(0)


def test_a_keyboard_is_enough_to_buy(till: Till, page: Page, open_show: Callable[..., str]) -> None:
    """From the show's button to the order without a pointer."""
    buy = till.show(open_show(seats=5)).get_by_role("button", name="Buy")
    expect(buy).to_be_enabled()
    buy.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Card number").focus()
    page.keyboard.type("4242424242424242")
    page.keyboard.press("Enter")
    expect(page.locator('.order[data-order-state="ticketed"]')).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_is_accessible_and_fits(
    browser: Browser,
    addresses: Addresses,
    open_show: Callable[..., str],
    scheme: str,
    width: int,
) -> None:
    """axe finds nothing on the page, in the dialog or on an order; nothing scrolls sideways."""
    show_id = open_show(seats=5)
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(addresses.hosting)
    till = Till(page)
    expect(till.show(show_id)).to_be_visible()
    assert violations(page) == []
    till.open(show_id)
    assert violations(page) == []
    order = till.pay("Declined")
    expect(order).to_have_attribute("data-order-state", "declined")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()
