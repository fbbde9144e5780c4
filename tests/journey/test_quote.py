"""What the page asks of the functions before anybody buys, and what it does without an answer."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, Request, expect

from observatory.client import Observatory
from tests.buyer import BoxOffice
from tests.journey.conftest import Till
from tests.spans import ORDER_SECONDS, has_spans, one_row


def traceparents(page: Page, path: str) -> list[str]:
    """The traceparent of each request to a path from here on, as they are made."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if path in request.url and request.method != "OPTIONS":
            seen.append(request.headers["traceparent"])

    page.on("request", note)
    return seen


def test_a_quote_is_one_trace_from_the_dialog_into_the_callable(
    till: Till, page: Page, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Price and availability come from the function; its span lies under the page's own root."""
    asked = traceparents(page, "/quote")
    show_id = open_show(seats=5, price_cents=2500)
    till.show(show_id).get_by_role("button", name="Buy").click()
    expect(page.locator(".quote")).to_have_text("€50 confirmed · 5 left")
    journey = observatory.wait_for_trace(
        asked[0].split("-")[1], has_spans(("page", "quote"), ("quote", "quote")), ORDER_SECONDS
    )
    root = one_row(journey, "page", "quote")
    call = one_row(journey, "page", "POST /quote")
    answered = one_row(journey, "quote", "quote")
    assert root["root"] == "page"
    assert call["parent_span_id"] == root["span_id"]
    assert (answered["parent_span_id"], answered["hop"]) == (call["span_id"], "callable")
    assert answered["context"] == "carried"
    assert answered["attributes"]["boxoffice.show.id"] == show_id
    assert (journey["orphans"], journey["coverage"]) == (0, 1.0)


def test_other_seats_are_quoted_anew(till: Till, page: Page, open_show: Callable[..., str]) -> None:
    """The button shows what the seats chosen now would cost."""
    till.show(open_show(seats=5, price_cents=2500)).get_by_role("button", name="Buy").click()
    expect(page.locator(".quote")).to_contain_text("€50 confirmed")
    page.get_by_role("button", name="More seats").click()
    expect(page.locator(".quote")).to_contain_text("€75 confirmed")
    expect(page.get_by_role("button", name="Pay")).to_have_text("Pay €75")


def test_without_a_quote_buying_goes_on(
    till: Till, page: Page, open_show: Callable[..., str]
) -> None:
    """The dialog says that the price isn't confirmed; the order is ticketed all the same."""
    page.route("**/quote", lambda route: route.abort())
    till.open(open_show(seats=5))
    expect(page.locator(".quote")).to_contain_text("couldn't be confirmed")
    expect(till.pay()).to_have_attribute("data-order-state", "ticketed")


def test_a_quote_that_hangs_holds_nobody_up(
    till: Till, page: Page, open_show: Callable[..., str]
) -> None:
    """Paying is possible while the answer is still to come."""
    page.route("**/quote", lambda _route: None)
    till.open(open_show(seats=5))
    expect(page.locator(".quote")).to_contain_text("Asking the box office")
    expect(till.pay()).to_have_attribute("data-order-state", "ticketed")


def test_while_the_listener_is_down_seats_are_looked_up_through_hosting(
    till: Till,
    page: Page,
    observatory: Observatory,
    box_office: BoxOffice,
    open_show: Callable[..., str],
) -> None:
    """The page goes on showing what is left, says how old that is, and goes back to live."""
    show_id = open_show(seats=9)
    expect(till.show(show_id)).to_have_attribute("data-seats-left", "9")
    asked = traceparents(page, f"/api/availability?show_id={show_id}")
    page.route("**/google.firestore.v1.Firestore/Listen/**", lambda route: route.abort())
    # Only a request that is made anew meets the closed door.
    page.context.set_offline(True)
    page.context.set_offline(False)
    box_office.documents.update(f"shows/{show_id}", {"seats_left": 4})
    expect(till.show(show_id)).to_have_attribute("data-seats-left", "4")
    expect(page.locator("[data-seats-looked-up]")).to_contain_text("as of")

    journey = observatory.wait_for_trace(
        asked[0].split("-")[1],
        has_spans(("page", "look up seats"), ("availability", "availability")),
        ORDER_SECONDS,
    )
    answered = [row for row in journey["rows"] if row["service"] == "availability"]
    calls = {row["span_id"] for row in journey["rows"] if row["name"] == "GET /api/availability"}
    received = [row for row in answered if row["hop"] == "hosting"]
    assert received
    assert {row["parent_span_id"] for row in received} <= calls
    assert {row["context"] for row in received} == {"carried"}
    assert (journey["orphans"], journey["coverage"]) == (0, 1.0)

    page.unroute("**/google.firestore.v1.Firestore/Listen/**")
    expect(page.locator("[data-seats-looked-up]")).to_have_count(0)
