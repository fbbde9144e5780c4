"""The organiser's page in a real browser: the way in, a new show, its sales, a refund."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from observatory.client import Observatory
from stack.local.seed import ORGANISER
from tests.accessibility import violations
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer
from tests.journey.conftest import Till
from tests.spans import ORDER_SECONDS, one_row, picture, rows_of


class Desk:
    """What an organiser does on the page."""

    def __init__(self, page: Page, addresses: Addresses) -> None:
        self.page = page
        self._address = f"{addresses.hosting}/organiser"

    def open(self, show_id: str | None = None) -> None:
        """Load the page, at a show's sales if one is given."""
        self.page.goto(self._address if show_id is None else f"{self._address}#show={show_id}")

    def sign_in(
        self, email: str = ORGANISER["email"], password: str = ORGANISER["password"]
    ) -> None:
        """Fill the form in, and send it."""
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def sale(self, order_id: str) -> Locator:
        """An order's row."""
        return self.page.locator(f'.sale[data-order-id="{order_id}"]')

    def figure(self, name: str) -> Locator:
        """One of the sums above the orders."""
        return self.page.locator(".figure").filter(has_text=name)

    def refund(self, order_id: str) -> None:
        """Press an order's button, and confirm."""
        self.sale(order_id).get_by_role("button", name="Refund").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Refund").click()


@pytest.fixture
def desk(browser: Browser, addresses: Addresses) -> Iterator[Desk]:
    """The organiser's page, opened by nobody yet; fails on an error in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Desk(page, addresses)
    context.close()
    assert errors == []


def sold(box_office: BoxOffice, buyer: Buyer, show_id: str) -> str:
    """An order of two seats that has its tickets."""
    order_id = buyer.place(show_id=show_id, seats=2)
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    return order_id


def test_a_wrong_password_is_explained(desk: Desk) -> None:
    """The form says what is wrong, and the password has the focus for another try."""
    desk.open()
    desk.sign_in(password="guessed")
    expect(desk.page.get_by_role("alert")).to_contain_text("don't go together")
    expect(desk.page.get_by_label("Password")).to_be_focused()


def test_an_empty_form_is_not_sent(desk: Desk) -> None:
    """Each field says what it wants; the first has the focus."""
    desk.open()
    desk.page.get_by_role("button", name="Sign in").click()
    expect(desk.page.get_by_label("E-mail")).to_be_focused()
    expect(desk.page.get_by_label("E-mail")).to_have_accessible_description(
        "Enter your e-mail address."
    )


def test_somebody_without_the_claim_is_told_so_and_sees_nothing(
    desk: Desk, new_account: Callable[[], tuple[str, str]]
) -> None:
    """They are signed in and let no further; they can look again, or leave."""
    desk.open()
    desk.sign_in(*new_account())
    expect(desk.page.get_by_text("not an organiser's").first).to_be_visible()
    desk.page.get_by_role("button", name="Check again").click()
    expect(desk.page.get_by_text("Still not an organiser's").first).to_be_visible()
    expect(desk.page.locator("[data-sales-of]")).to_have_count(0)
    desk.page.get_by_role("button", name="Use another account").click()
    expect(desk.page.get_by_label("E-mail")).to_be_visible()


def test_a_show_is_put_on_sale_by_keyboard_and_its_write_is_traced(
    desk: Desk, till: Till, box_office: BoxOffice, observatory: Observatory
) -> None:
    """What is missing is said field by field; then buyers see the show, and the focus is on it."""
    desk.open()
    desk.sign_in()
    desk.page.get_by_role("button", name="New show").press("Enter")
    desk.page.get_by_label("Title").press("Enter")
    expect(desk.page.get_by_label("Title")).to_be_focused()
    expect(desk.page.get_by_label("Title")).to_have_accessible_description("Give the show a title.")
    expect(desk.page.get_by_text("Choose a day and a time.")).to_be_visible()
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
        desk.page.get_by_label(label, exact=True).fill(text)
    desk.page.get_by_label("Seats", exact=True).press("Enter")
    sale_ends = desk.page.get_by_label("Sale ends (optional)")
    expect(sale_ends).to_be_focused()
    expect(sale_ends).to_have_accessible_description(re.compile("latest when the show begins"))
    desk.page.get_by_label("Day and time").fill("2037-03-04T20:00")
    expect(sale_ends).not_to_have_accessible_description(re.compile("latest"))
    sale_ends.press("Enter")
    expect(desk.page.locator("#sales-title")).to_have_text("Sales of Ünder the Bridge")
    expect(desk.page.locator("#sales-title")).to_be_focused()
    show_id = desk.page.url.partition("#show=")[2]
    try:
        show = box_office.documents.read(f"shows/{show_id}")
        assert (show["price_cents"], show["seats_total"], show["seats_left"]) == (4250, 40, 40)
        begins, ends = (datetime.fromisoformat(show[at]) for at in ("starts_at", "sale_ends_at"))
        assert begins - ends == timedelta(minutes=30)
        expect(till.show(show_id)).to_have_attribute("data-seats-left", "40")
        expect(till.show(show_id)).to_contain_text("On sale until Wed 4 Mar, 19:30")
        expect(desk.page.locator(".sales")).to_contain_text("on sale until Wed 4 Mar, 19:30")
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
    desk: Desk, box_office: BoxOffice, buyer: Buyer, open_show: Callable[..., str]
) -> None:
    """Orders appear as they are placed, with their states; seats and takings add up."""
    show_id = open_show(seats=10, price_cents=2500)
    desk.open(show_id)
    desk.sign_in()
    expect(desk.page.get_by_text("No orders yet.")).to_be_visible()
    first = sold(box_office, buyer, show_id)
    expect(desk.sale(first)).to_have_attribute("data-order-state", "ticketed")
    declined = buyer.place(show_id=show_id, card_token="tok_0000000000000000_card_declined")
    expect(desk.sale(declined)).to_have_attribute("data-order-state", "declined")
    expect(desk.sale(declined).get_by_role("button")).to_have_count(0)
    expect(desk.figure("Seats sold")).to_contain_text("2 of 10")
    expect(desk.figure("Takings")).to_contain_text("€50")
    expect(desk.figure("Orders")).to_contain_text("8 seats left")


def test_a_refund_is_a_trace_of_its_own_that_links_the_orders(
    desk: Desk,
    box_office: BoxOffice,
    buyer: Buyer,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> None:
    """From the click through the callable to the page's own update; the seats are back on sale."""
    show_id = open_show(seats=10)
    order_id = sold(box_office, buyer, show_id)
    ordered = box_office.documents.read(f"orders/{order_id}")["_trace"]["traceparent"]
    desk.open(show_id)
    desk.sign_in()
    desk.refund(order_id)
    expect(desk.sale(order_id)).to_have_attribute("data-order-state", "refunded")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    expect(desk.sale(order_id).get_by_role("heading")).to_be_focused()
    expect(desk.figure("Seats sold")).to_contain_text("0 of 10")

    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == 10
    refunded = box_office.documents.read(f"orders/{order_id}")
    trace_id = refunded["_trace"]["traceparent"].split("-")[1]
    journey = observatory.wait_for_trace(
        trace_id,
        lambda seen: bool(rows_of(seen, "page", "order refunded")) and seen["orphans"] == 0,
        ORDER_SECONDS,
    )
    click = one_row(journey, "page", "refund")
    assert click["root"] == "page"
    assert ordered.split("-")[1] in [link["trace_id"] for link in click["links"]]
    assert trace_id != ordered.split("-")[1]
    call = one_row(journey, "page", "POST /refund")
    assert call["parent_span_id"] == click["span_id"]
    answered = one_row(journey, "refund", "refund")
    assert (answered["parent_span_id"], answered["hop"]) == (call["span_id"], "callable")
    assert answered["context"] == "carried", picture(journey)
    assert answered["attributes"]["boxoffice.order.id"] == order_id
    assert (journey["coverage"], journey["errors"]) == (1.0, 0)
    # What was on screen before the click is not news.
    assert rows_of(journey, "page", "order ticketed") == []


def test_a_refund_that_fails_is_explained_and_can_be_tried_again(
    desk: Desk, box_office: BoxOffice, buyer: Buyer, open_show: Callable[..., str]
) -> None:
    """The function can't be reached: the dialog stays, says so, and the next try succeeds."""
    show_id = open_show(seats=10)
    order_id = sold(box_office, buyer, show_id)
    desk.open(show_id)
    desk.sign_in()
    expect(desk.sale(order_id)).to_be_visible()
    desk.page.route("**/refund", lambda route: route.abort())
    desk.refund(order_id)
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_contain_text("can't be reached")
    expect(dialog.get_by_role("link", name="See what happened")).to_be_visible()
    desk.page.unroute("**/refund")
    dialog.get_by_role("button", name="Refund").click()
    expect(desk.sale(order_id)).to_have_attribute("data-order-state", "refunded")


def test_the_organiser_does_not_push_the_guest_out(
    browser: Browser, addresses: Addresses, open_show: Callable[..., str]
) -> None:
    """In one browser, a guest keeps their orders while an organiser signs in and out."""
    context = browser.new_context()
    guest = context.new_page()
    guest.goto(addresses.hosting)
    order = Till(guest).buy(open_show(seats=5))
    order_id = order.get_attribute("data-order-id")
    desk = Desk(context.new_page(), addresses)
    desk.open()
    desk.sign_in()
    expect(desk.page.locator("[data-sales-of]")).to_be_visible()
    desk.page.get_by_role("button", name="Sign out").click()
    expect(desk.page.get_by_label("E-mail")).to_be_visible()
    guest.reload()
    expect(guest.locator(f'.order[data-order-id="{order_id}"]')).to_be_visible()
    context.close()


def test_offline_it_says_so_and_refunds_nothing(
    desk: Desk, box_office: BoxOffice, buyer: Buyer, open_show: Callable[..., str]
) -> None:
    """What is on screen stays; what would need the network waits for it."""
    show_id = open_show(seats=10)
    order_id = sold(box_office, buyer, show_id)
    desk.open(show_id)
    desk.sign_in()
    button = desk.sale(order_id).get_by_role("button", name="Refund")
    expect(button).to_be_enabled()
    desk.page.context.set_offline(True)
    expect(desk.page.get_by_text("You are offline").first).to_be_visible()
    expect(button).to_be_disabled()
    desk.page.context.set_offline(False)
    expect(button).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_is_accessible_and_fits(
    browser: Browser,
    addresses: Addresses,
    box_office: BoxOffice,
    buyer: Buyer,
    open_show: Callable[..., str],
    scheme: str,
    width: int,
) -> None:
    """axe finds nothing at the door, among the sales or in a dialog; nothing scrolls sideways."""
    show_id = open_show(seats=5)
    order_id = sold(box_office, buyer, show_id)
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    desk = Desk(context.new_page(), addresses)

    def is_fine() -> None:
        assert violations(desk.page) == []
        assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    desk.open(show_id)
    desk.sign_in(password="guessed")
    expect(desk.page.get_by_role("alert")).to_be_visible()
    is_fine()
    desk.sign_in()
    expect(desk.sale(order_id)).to_be_visible()
    is_fine()
    desk.page.get_by_role("button", name="New show").click()
    desk.page.get_by_role("button", name="Put it on sale").click()
    is_fine()
    desk.page.keyboard.press("Escape")
    desk.sale(order_id).get_by_role("button", name="Refund").click()
    is_fine()
    context.close()
