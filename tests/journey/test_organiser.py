"""The organiser's page in a browser: signing in, creating a show, its sales, a refund."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from observatory.client import Observatory
from stack.local.seed import ORGANISER
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer
from tests.journey.conftest import BoxOfficePage
from tests.journey.observatory_server import assert_accessible
from tests.spans import ORDER_SECONDS, one_row, picture, rows_of


class OrganiserPage:
    """Page object of the organiser's page."""

    def __init__(self, page: Page, addresses: Addresses) -> None:
        self.page = page
        self._address = f"{addresses.hosting}/organiser"

    def open(self, show_id: str | None = None) -> None:
        """Load the page, with a show's sales if an id is given."""
        self.page.goto(self._address if show_id is None else f"{self._address}#show={show_id}")

    def sign_in(
        self, email: str = ORGANISER["email"], password: str = ORGANISER["password"]
    ) -> None:
        """Fill in the sign-in form and submit it."""
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def sale(self, order_id: str) -> Locator:
        """Return the row of an order."""
        return self.page.locator(f'.sale[data-order-id="{order_id}"]')

    def figure(self, name: str) -> Locator:
        """Return the figure of that name above the orders."""
        return self.page.locator(".figure").filter(has_text=name)

    def refund(self, order_id: str) -> None:
        """Press an order's “Refund” button and confirm."""
        self.sale(order_id).get_by_role("button", name="Refund").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Refund").click()


@pytest.fixture
def organiser_page(browser: Browser, addresses: Addresses) -> Iterator[OrganiserPage]:
    """The organiser's page in a fresh browser profile, not loaded yet; fails on a script error."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield OrganiserPage(page, addresses)
    context.close()
    assert errors == []


def sell_two_seats(box_office: BoxOffice, buyer: Buyer, show_id: str) -> str:
    """Place an order of two seats, wait until it is ticketed, and return its id."""
    order_id = buyer.place(show_id=show_id, seats=2)
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    return order_id


def test_a_wrong_password_is_explained(organiser_page: OrganiserPage) -> None:
    """The password field has the focus, for another attempt."""
    organiser_page.open()
    organiser_page.sign_in(password="guessed")
    expect(organiser_page.page.get_by_role("alert")).to_contain_text(
        "e-mail address or the password is wrong"
    )
    expect(organiser_page.page.get_by_label("Password")).to_be_focused()


def test_an_empty_sign_in_form_is_not_submitted(organiser_page: OrganiserPage) -> None:
    """The first field has the focus and says what to enter."""
    organiser_page.open()
    organiser_page.page.get_by_role("button", name="Sign in").click()
    expect(organiser_page.page.get_by_label("E-mail")).to_be_focused()
    expect(organiser_page.page.get_by_label("E-mail")).to_have_accessible_description(
        "Enter your e-mail address."
    )


def test_an_account_without_the_organiser_claim_sees_no_sales(
    organiser_page: OrganiserPage, new_account: Callable[[], tuple[str, str]]
) -> None:
    """The page explains it, and offers to check again or to use another account."""
    organiser_page.open()
    organiser_page.sign_in(*new_account())
    expect(organiser_page.page.get_by_text("not an organiser's").first).to_be_visible()
    organiser_page.page.get_by_role("button", name="Check again").click()
    expect(organiser_page.page.get_by_text("not an organiser's account yet").first).to_be_visible()
    expect(organiser_page.page.locator("[data-sales-of]")).to_have_count(0)
    organiser_page.page.get_by_role("button", name="Use another account").click()
    expect(organiser_page.page.get_by_label("E-mail")).to_be_visible()


def test_a_show_can_be_created_by_keyboard_and_its_write_is_traced(
    organiser_page: OrganiserPage,
    box_office_page: BoxOfficePage,
    box_office: BoxOffice,
    observatory: Observatory,
) -> None:
    """Each invalid field has a message; a valid show is on sale at once and its sales are shown."""
    organiser_page.open()
    organiser_page.sign_in()
    organiser_page.page.get_by_role("button", name="New show").press("Enter")
    organiser_page.page.get_by_label("Title").press("Enter")
    expect(organiser_page.page.get_by_label("Title")).to_be_focused()
    expect(organiser_page.page.get_by_label("Title")).to_have_accessible_description(
        "Enter a title."
    )
    expect(organiser_page.page.get_by_text("Choose a day and a time.")).to_be_visible()
    for label, text in (
        ("Title", "Ünder the Bridge"),
        ("Venue", "Arches"),
        ("City", "Ghent"),
        ("In a sentence", "Five songs and a flood."),
        ("Day and time", "2037-03-04T18:00"),
        ("Sale ends (optional)", "2037-03-04T19:30"),
        ("Price in €", "42,50"),
        ("Seats", "40"),
    ):
        organiser_page.page.get_by_label(label, exact=True).fill(text)
    organiser_page.page.get_by_label("Seats", exact=True).press("Enter")
    sale_ends = organiser_page.page.get_by_label("Sale ends (optional)")
    expect(sale_ends).to_be_focused()
    expect(sale_ends).to_have_accessible_description(re.compile("must end before the show begins"))
    organiser_page.page.get_by_label("Day and time").fill("2037-03-04T20:00")
    expect(sale_ends).not_to_have_accessible_description(re.compile("must end"))
    sale_ends.press("Enter")
    expect(organiser_page.page.locator("#sales-title")).to_have_text("Sales of Ünder the Bridge")
    expect(organiser_page.page.locator("#sales-title")).to_be_focused()
    show_id = organiser_page.page.url.partition("#show=")[2]
    try:
        show = box_office.documents.read(f"shows/{show_id}")
        assert (show["price_cents"], show["seats_total"], show["seats_left"]) == (4250, 40, 40)
        begins, ends = (datetime.fromisoformat(show[at]) for at in ("starts_at", "sale_ends_at"))
        assert begins - ends == timedelta(minutes=30)
        expect(box_office_page.show(show_id)).to_have_attribute("data-seats-left", "40")
        expect(box_office_page.show(show_id)).to_contain_text("On sale until Wed 4 Mar, 19:30")
        expect(organiser_page.page.locator(".sales")).to_contain_text(
            "on sale until Wed 4 Mar, 19:30"
        )
        trace_id = show["_trace"]["traceparent"].split("-")[1]
        journey = observatory.wait_for_trace(
            trace_id, lambda seen: bool(rows_of(seen, "page", "create show")), ORDER_SECONDS
        )
        write = one_row(journey, "page", "create shows")
        assert write["parent_span_id"] == one_row(journey, "page", "create show")["span_id"]
        assert (write["hop"], journey["orphans"], journey["coverage"]) == ("document", 0, 1.0)
    finally:
        box_office.close_show(show_id)


def test_sales_are_live(
    organiser_page: OrganiserPage,
    box_office: BoxOffice,
    buyer: Buyer,
    open_show: Callable[..., str],
) -> None:
    """Orders appear with their states as they are placed; seats and takings add up."""
    show_id = open_show(seats=10, price_cents=2500)
    organiser_page.open(show_id)
    organiser_page.sign_in()
    expect(organiser_page.page.get_by_text("No orders yet.")).to_be_visible()
    first = sell_two_seats(box_office, buyer, show_id)
    expect(organiser_page.sale(first)).to_have_attribute("data-order-state", "ticketed")
    declined = buyer.place(show_id=show_id, card_token="tok_0000000000000000_card_declined")
    expect(organiser_page.sale(declined)).to_have_attribute("data-order-state", "declined")
    expect(organiser_page.sale(declined).get_by_role("button")).to_have_count(0)
    expect(organiser_page.figure("Seats sold")).to_contain_text("2 of 10")
    expect(organiser_page.figure("Takings")).to_contain_text("€50")
    expect(organiser_page.figure("Orders")).to_contain_text("8 seats left")


def test_a_refund_is_a_trace_of_its_own_that_links_the_orders(
    organiser_page: OrganiserPage,
    box_office: BoxOffice,
    buyer: Buyer,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> None:
    """It leads from the click to the page's update; the seats are for sale again."""
    show_id = open_show(seats=10)
    order_id = sell_two_seats(box_office, buyer, show_id)
    order_traceparent = box_office.documents.read(f"orders/{order_id}")["_trace"]["traceparent"]
    organiser_page.open(show_id)
    organiser_page.sign_in()
    organiser_page.refund(order_id)
    expect(organiser_page.sale(order_id)).to_have_attribute("data-order-state", "refunded")
    expect(organiser_page.page.get_by_role("dialog")).to_have_count(0)
    expect(organiser_page.sale(order_id).get_by_role("heading")).to_be_focused()
    expect(organiser_page.figure("Seats sold")).to_contain_text("0 of 10")

    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == 10
    refunded_order = box_office.documents.read(f"orders/{order_id}")
    trace_id = refunded_order["_trace"]["traceparent"].split("-")[1]
    journey = observatory.wait_for_trace(
        trace_id,
        lambda seen: bool(rows_of(seen, "page", "order refunded")) and seen["orphans"] == 0,
        ORDER_SECONDS,
    )
    click = one_row(journey, "page", "refund")
    assert click["root"] == "page"
    order_trace_id = order_traceparent.split("-")[1]
    assert order_trace_id in [link["trace_id"] for link in click["links"]]
    assert trace_id != order_trace_id
    call = one_row(journey, "page", "POST /refund")
    assert call["parent_span_id"] == click["span_id"]
    refund = one_row(journey, "refund", "refund")
    assert (refund["parent_span_id"], refund["hop"]) == (call["span_id"], "callable")
    assert refund["context"] == "carried", picture(journey)
    assert refund["attributes"]["boxoffice.order.id"] == order_id
    assert (journey["coverage"], journey["errors"]) == (1.0, 0)
    # The state that was on screen before the click is not an update.
    assert rows_of(journey, "page", "order ticketed") == []


def test_a_refund_that_fails_is_explained_and_can_be_tried_again(
    organiser_page: OrganiserPage,
    box_office: BoxOffice,
    buyer: Buyer,
    open_show: Callable[..., str],
) -> None:
    """While the function is unreachable the dialog stays open and says so; then it succeeds."""
    show_id = open_show(seats=10)
    order_id = sell_two_seats(box_office, buyer, show_id)
    organiser_page.open(show_id)
    organiser_page.sign_in()
    expect(organiser_page.sale(order_id)).to_be_visible()
    organiser_page.page.route("**/refund", lambda route: route.abort())
    organiser_page.refund(order_id)
    dialog = organiser_page.page.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_contain_text("can't be reached")
    expect(dialog.get_by_role("link", name="See what happened")).to_be_visible()
    organiser_page.page.unroute("**/refund")
    dialog.get_by_role("button", name="Refund").click()
    expect(organiser_page.sale(order_id)).to_have_attribute("data-order-state", "refunded")


def test_an_organiser_and_a_guest_can_share_a_browser(
    browser: Browser, addresses: Addresses, open_show: Callable[..., str]
) -> None:
    """A guest keeps their orders while an organiser signs in and out in another tab."""
    context = browser.new_context()
    guest = context.new_page()
    guest.goto(addresses.hosting)
    order = BoxOfficePage(guest).buy(open_show(seats=5))
    order_id = order.get_attribute("data-order-id")
    organiser_page = OrganiserPage(context.new_page(), addresses)
    organiser_page.open()
    organiser_page.sign_in()
    expect(organiser_page.page.locator("[data-sales-of]")).to_be_visible()
    organiser_page.page.get_by_role("button", name="Sign out").click()
    expect(organiser_page.page.get_by_label("E-mail")).to_be_visible()
    guest.reload()
    expect(guest.locator(f'.order[data-order-id="{order_id}"]')).to_be_visible()
    context.close()


def test_refunds_are_disabled_while_offline(
    organiser_page: OrganiserPage,
    box_office: BoxOffice,
    buyer: Buyer,
    open_show: Callable[..., str],
) -> None:
    """The sales stay on screen; the button works again once the page is online."""
    show_id = open_show(seats=10)
    order_id = sell_two_seats(box_office, buyer, show_id)
    organiser_page.open(show_id)
    organiser_page.sign_in()
    button = organiser_page.sale(order_id).get_by_role("button", name="Refund")
    expect(button).to_be_enabled()
    organiser_page.page.context.set_offline(True)
    expect(organiser_page.page.get_by_text("You are offline").first).to_be_visible()
    expect(button).to_be_disabled()
    organiser_page.page.context.set_offline(False)
    expect(button).to_be_enabled()


@pytest.mark.parametrize("width", [360, pytest.param(1440, marks=pytest.mark.long)])
def test_the_page_is_accessible_and_fits_the_screen(
    browser: Browser,
    addresses: Addresses,
    box_office: BoxOffice,
    buyer: Buyer,
    open_show: Callable[..., str],
    width: int,
) -> None:
    """The form, the sales and the dialogs pass axe, in light and in dark; no sideways scrolling."""
    show_id = open_show(seats=5)
    order_id = sell_two_seats(box_office, buyer, show_id)
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    organiser_page = OrganiserPage(context.new_page(), addresses)

    def assert_accessible_and_fitting() -> None:
        assert_accessible(organiser_page.page)
        assert organiser_page.page.evaluate(
            "document.documentElement.scrollWidth <= window.innerWidth"
        )

    organiser_page.open(show_id)
    organiser_page.sign_in(password="guessed")
    expect(organiser_page.page.get_by_role("alert")).to_be_visible()
    assert_accessible_and_fitting()
    organiser_page.sign_in()
    expect(organiser_page.sale(order_id)).to_be_visible()
    assert_accessible_and_fitting()
    organiser_page.page.get_by_role("button", name="New show").click()
    organiser_page.page.get_by_role("button", name="Put it on sale").click()
    assert_accessible_and_fitting()
    organiser_page.page.keyboard.press("Escape")
    organiser_page.sale(order_id).get_by_role("button", name="Refund").click()
    assert_accessible_and_fitting()
    context.close()
