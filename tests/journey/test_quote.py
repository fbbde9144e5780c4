"""Quotes and availability on the page, with and without an answer from the functions."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, Request, expect

from observatory.client import Observatory
from tests.buyer import BoxOffice
from tests.journey.conftest import BoxOfficePage
from tests.spans import ORDER_SECONDS, has_spans, one_row, rows_of


def traceparents(page: Page, path: str) -> list[str]:
    """Return a list to which the traceparent of each later request to `path` is appended."""
    recorded: list[str] = []

    def record(request: Request) -> None:
        if path in request.url and request.method != "OPTIONS":
            recorded.append(request.headers["traceparent"])

    page.on("request", record)
    return recorded


def test_a_quote_is_one_trace_from_the_dialog_into_the_callable(
    box_office_page: BoxOfficePage,
    page: Page,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> None:
    """Price and availability come from the function; its span is below the page's root."""
    quote_traceparents = traceparents(page, "/quote")
    show_id = open_show(seats=5, price_cents=2500)
    box_office_page.show(show_id).get_by_role("button", name="Buy").click()
    expect(page.locator(".quote")).to_have_text("€50 confirmed · 5 left")
    journey = observatory.wait_for_trace(
        quote_traceparents[0].split("-")[1],
        has_spans(("page", "quote"), ("quote", "quote")),
        ORDER_SECONDS,
    )
    root = one_row(journey, "page", "quote")
    call = one_row(journey, "page", "POST /quote")
    quote = one_row(journey, "quote", "quote")
    assert root["root"] == "page"
    assert call["parent_span_id"] == root["span_id"]
    assert (quote["parent_span_id"], quote["hop"]) == (call["span_id"], "callable")
    assert quote["context"] == "carried"
    assert quote["attributes"]["boxoffice.show.id"] == show_id
    assert (journey["orphans"], journey["coverage"]) == (0, 1.0)


def test_changing_the_seats_fetches_a_new_quote(
    box_office_page: BoxOfficePage, page: Page, open_show: Callable[..., str]
) -> None:
    """The button shows the price of the seats chosen now."""
    box_office_page.show(open_show(seats=5, price_cents=2500)).get_by_role(
        "button", name="Buy"
    ).click()
    expect(page.locator(".quote")).to_contain_text("€50 confirmed")
    page.get_by_role("button", name="More seats").click()
    expect(page.locator(".quote")).to_contain_text("€75 confirmed")
    expect(page.get_by_role("button", name="Pay")).to_have_text("Pay €75")


def test_buying_works_without_a_quote(
    box_office_page: BoxOfficePage, page: Page, open_show: Callable[..., str]
) -> None:
    """The dialog says that the price isn't confirmed; the order is still ticketed."""
    page.route("**/quote", lambda route: route.abort())
    box_office_page.open(open_show(seats=5))
    expect(page.locator(".quote")).to_contain_text("couldn't be confirmed")
    expect(box_office_page.pay()).to_have_attribute("data-order-state", "ticketed")


def test_a_pending_quote_does_not_delay_payment(
    box_office_page: BoxOfficePage, page: Page, open_show: Callable[..., str]
) -> None:
    """The buyer can pay while the quote is loading."""
    page.route("**/quote", lambda _route: None)
    box_office_page.open(open_show(seats=5))
    expect(page.locator(".quote")).to_contain_text("Asking the box office")
    expect(box_office_page.pay()).to_have_attribute("data-order-state", "ticketed")


def test_without_the_listener_the_page_polls_seats_through_hosting(
    box_office_page: BoxOfficePage,
    page: Page,
    observatory: Observatory,
    box_office: BoxOffice,
    open_show: Callable[..., str],
) -> None:
    """The page shows the seats left and the time of that answer, then returns to live updates."""
    show_id = open_show(seats=9)
    expect(box_office_page.show(show_id)).to_have_attribute("data-seats-left", "9")
    availability_traceparents = traceparents(page, f"/api/availability?show_id={show_id}")
    page.route("**/google.firestore.v1.Firestore/Listen/**", lambda route: route.abort())
    # The open Listen request is unaffected by the route: going offline forces a new one.
    page.context.set_offline(True)
    page.context.set_offline(False)
    box_office.documents.update(f"shows/{show_id}", {"seats_left": 4})
    expect(box_office_page.show(show_id)).to_have_attribute("data-seats-left", "4")
    expect(page.locator("[data-seats-looked-up]")).to_contain_text("as of")

    journey = observatory.wait_for_trace(
        availability_traceparents[0].split("-")[1],
        has_spans(("page", "look up seats"), ("availability", "availability")),
        ORDER_SECONDS,
    )
    call_ids = {row["span_id"] for row in journey["rows"] if row["name"] == "GET /api/availability"}
    received = [row for row in rows_of(journey, "availability") if row["hop"] == "hosting"]
    assert received
    assert {row["parent_span_id"] for row in received} <= call_ids
    assert {row["context"] for row in received} == {"carried"}
    assert (journey["orphans"], journey["coverage"]) == (0, 1.0)

    page.unroute("**/google.firestore.v1.Firestore/Listen/**")
    expect(page.locator("[data-seats-looked-up]")).to_have_count(0)
