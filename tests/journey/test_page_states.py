"""The buyer's page offline, signed out, with a bad card number, by keyboard and at two widths."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.addresses import Addresses
from tests.buyer import BoxOffice
from tests.journey.conftest import BoxOfficePage
from tests.journey.observatory_server import assert_accessible


def test_buying_is_disabled_while_offline(
    box_office_page: BoxOfficePage, page: Page, open_show: Callable[..., str]
) -> None:
    """Otherwise Firestore would queue the order and send it whenever the connection returns."""
    buy = box_office_page.show(open_show(seats=5)).get_by_role("button", name="Buy")
    expect(buy).to_be_enabled()
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline").first).to_be_visible()
    expect(buy).to_be_disabled()
    page.context.set_offline(False)
    expect(buy).to_be_enabled()


def test_a_signed_out_buyer_can_continue_as_a_guest(
    box_office_page: BoxOfficePage, page: Page, open_show: Callable[..., str]
) -> None:
    """The shows stay visible; buying is disabled until a guest is signed in."""
    buy = box_office_page.show(open_show(seats=5)).get_by_role("button", name="Buy")
    expect(buy).to_be_enabled()
    page.get_by_role("button", name="Sign out").click()
    expect(buy).to_be_disabled()
    page.get_by_role("button", name="Continue as a guest").first.click()
    expect(buy).to_be_enabled()


def test_an_invalid_card_number_is_refused_before_an_order_is_placed(
    box_office_page: BoxOfficePage, page: Page, open_show: Callable[..., str]
) -> None:
    """The field says what is wrong with it."""
    box_office_page.open(open_show(seats=5))
    page.get_by_label("Card number").fill("4242 4242 4242 4241")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("a digit is mistyped").first).to_be_visible()
    expect(page.locator(".order[data-order-id]")).to_have_count(0)


def test_a_show_that_has_begun_says_so_and_sells_nothing(
    box_office_page: BoxOfficePage,
    page: Page,
    box_office: BoxOffice,
    open_show: Callable[..., str],
) -> None:
    """The server's clock decides, so the button works, and the refusal explains itself."""
    show_id = open_show(seats=5)
    card = box_office_page.show(show_id)
    expect(card).not_to_contain_text("has begun")
    begun = {"starts_at": datetime.now(UTC) - timedelta(minutes=1)}
    box_office.documents.update(f"shows/{show_id}", begun).raise_for_status()
    expect(card).to_contain_text("The show has begun")
    box_office_page.open(show_id)
    page.get_by_role("button", name="Approved").click()
    page.get_by_role("button", name="Pay").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The box office refused this order")
    expect(dialog).to_contain_text("A show that has begun is not on sale any more")


def test_an_order_beyond_a_buyers_limit_says_by_which_numbers(
    box_office_page: BoxOfficePage, box_office: BoxOffice, open_show: Callable[..., str]
) -> None:
    """The buyer learns how many unpaid orders they have, and how many they may have."""
    show_id = open_show(seats=5)
    bought = box_office_page.buy(show_id)
    expect(bought).to_have_attribute("data-order-state", "ticketed")
    order_id = bought.get_attribute("data-order-id")
    uid = box_office.documents.read(f"orders/{order_id}")["uid"]
    unpaid = {"orders": 6, "seats": 6}
    box_office.documents.set(f"buyer_holds/{uid}", unpaid).raise_for_status()
    order = box_office_page.buy(show_id)
    expect(order).to_have_attribute("data-order-state", "rejected")
    expect(order).to_contain_text("You have 6 orders that are not paid for yet")
    expect(order).to_contain_text("not charged")


def test_a_ticket_can_be_bought_by_keyboard(
    box_office_page: BoxOfficePage, page: Page, open_show: Callable[..., str]
) -> None:
    """The keyboard is enough from the show's button to the ticketed order."""
    buy = box_office_page.show(open_show(seats=5)).get_by_role("button", name="Buy")
    expect(buy).to_be_enabled()
    buy.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Card number").focus()
    page.keyboard.type("4242424242424242")
    page.keyboard.press("Enter")
    expect(page.locator('.order[data-order-state="ticketed"]')).to_have_count(1)


@pytest.mark.parametrize("width", [360, pytest.param(1440, marks=pytest.mark.long)])
def test_the_page_is_accessible_and_fits_the_screen(
    browser: Browser,
    addresses: Addresses,
    open_show: Callable[..., str],
    width: int,
) -> None:
    """The shows, the dialog and an order pass axe, in light and in dark; no sideways scrolling."""
    show_id = open_show(seats=5)
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(addresses.hosting)
    box_office_page = BoxOfficePage(page)
    expect(box_office_page.show(show_id)).to_be_visible()
    assert_accessible(page)
    box_office_page.open(show_id)
    assert_accessible(page)
    order = box_office_page.pay("Declined")
    expect(order).to_have_attribute("data-order-state", "declined")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()
