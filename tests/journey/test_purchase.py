"""One purchase in a real browser, from the click to the page's last update, as one trace."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, Route, expect

from observatory.client import Observatory
from observatory.shapes import Journey, Row
from tests.buyer import BoxOffice, Buyer
from tests.journey.conftest import Till
from tests.spans import ORDER_SECONDS, picture, rows_of, the

# From the click to the page's last update: each span's parent is the one above it.
SPINE = (
    ("page", "buy", "INTERNAL", None),
    ("page", "create orders", "PRODUCER", "document"),
    ("reserve", "reserve", "CONSUMER", "trigger"),
    ("reserve", "send order-reserved", "PRODUCER", None),
    ("charge", "charge", "CONSUMER", "pubsub"),
    ("charge", "POST /charges", "CLIENT", "vendor"),
    ("settle", "settle", "SERVER", "webhook"),
    ("settle", "send order-paid", "PRODUCER", None),
    ("issue", "issue", "CONSUMER", "pubsub"),
    ("page", "order ticketed", "CONSUMER", "listener"),
)


def whole(observatory: Observatory, order: Locator) -> Journey:
    """The order's trace, once the page's last update is in it and no parent is missing."""
    state = order.get_attribute("data-order-state")
    trace_id = order.get_attribute("data-trace-id") or ""
    return observatory.wait_for_trace(
        trace_id,
        lambda seen: bool(rows_of(seen, "page", f"order {state}")) and seen["orphans"] == 0,
        ORDER_SECONDS,
    )


def test_a_purchase_is_one_trace_from_click_to_last_update(
    till: Till, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Every hop in order, each with the parent it should have, and nothing missing or astray."""
    show_id = open_show(seats=5)
    order = till.buy(show_id)
    expect(order).to_have_attribute("data-order-state", "ticketed")
    journey = whole(observatory, order)
    parent: Row | None = None
    for service, name, kind, hop in SPINE:
        row = the(journey, service, name)
        assert row["parent_span_id"] == (parent["span_id"] if parent else None), picture(journey)
        assert (row["kind"], row["hop"]) == (kind, hop)
        assert hop is None or row["context"] == "carried"
        parent = row
    # The end of the hold and the audit trail go their own ways beside the purchase.
    spine = [service for service in journey["services"] if service not in ("expire", "audit")]
    assert spine == ["page", "reserve", "charge", "acquirer", "settle", "issue"]
    assert (journey["orphans"], journey["coverage"], journey["errors"]) == (0, 1.0, 0)
    buy = the(journey, "page", "buy")
    assert buy["root"] == "page"
    assert buy["attributes"]["boxoffice.order.id"] == order.get_attribute("data-order-id")
    assert buy["attributes"]["boxoffice.show.id"] == show_id


def test_what_the_page_hears_joins_the_stage_that_said_it(
    till: Till, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Each state's span lies under the stage that wrote it, and links the page's own view.

    Firestore may skip a state that the next one overtook, so those in between need not all come.
    """
    order = till.buy(open_show(seats=5))
    expect(order).to_have_attribute("data-order-state", "ticketed")
    journey = whole(observatory, order)
    writers = {"reserved": "reserve", "charging": "charge", "paid": "settle", "ticketed": "issue"}
    heard = [row for row in rows_of(journey, "page") if row["hop"] == "listener"]
    assert len(heard) >= 2, picture(journey)
    for row in heard:
        state = row["name"].removeprefix("order ")
        said_by = (
            the(journey, writers[state], writers[state])
            if state in writers
            else the(journey, "page", "create orders")
        )
        assert row["parent_span_id"] == said_by["span_id"], picture(journey)
        assert row["attributes"]["boxoffice.order.state"] == state
        (view,) = row["links"]
        assert view["stored"]
        view_trace = observatory.trace(view["trace_id"])
        assert the(view_trace, "page", "page view")["root"] == "page"


def test_the_buyer_gets_tickets(till: Till, page: Page, open_show: Callable[..., str]) -> None:
    """Paid, ticketed, and the ticket itself is on the page, with the order's code."""
    order = till.buy(open_show(seats=5))
    expect(order).to_have_attribute("data-order-state", "ticketed")
    order_id = order.get_attribute("data-order-id") or ""
    ticket = page.locator("[data-ticket-code]")
    expect(ticket).to_have_count(1)
    expect(ticket).to_have_attribute("data-ticket-code", f"TEST-{order_id[-6:].upper()}-1")


def test_the_order_leads_to_its_trace(
    till: Till, page: Page, open_show: Callable[..., str]
) -> None:
    """“See this order's trace” opens the Observatory on the waterfall of just this order."""
    order = till.buy(open_show(seats=5))
    expect(order).to_have_attribute("data-order-state", "ticketed")
    with page.expect_popup() as opened:
        order.get_by_role("link", name="See this order's trace").click()
    explorer = opened.value
    trace_id = order.get_attribute("data-trace-id")
    expect(explorer).to_have_url(re.compile(f"/traces/{trace_id}$"))
    for service in ("reserve", "charge", "acquirer", "settle", "issue"):
        expect(explorer.get_by_text(service, exact=True).first).to_be_visible()


def test_a_declined_card_is_explained(
    till: Till, page: Page, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The page says what happened and what to do; the trace ends where the money didn't come."""
    show_id = open_show(seats=5)
    order = till.buy(show_id, card="Declined")
    expect(order).to_have_attribute("data-order-state", "declined")
    expect(order).to_contain_text("Nothing was charged")
    expect(till.show(show_id)).to_have_attribute("data-seats-left", "5")
    journey = whole(observatory, order)
    settle = the(journey, "settle", "settle")
    assert the(journey, "page", "order declined")["parent_span_id"] == settle["span_id"]
    assert rows_of(journey, "issue") == []
    assert (journey["orphans"], journey["coverage"]) == (0, 1.0)
    expect(page.locator("[data-ticket-code]")).to_have_count(0)


def test_a_sold_out_show_is_not_for_sale(till: Till, open_show: Callable[..., str]) -> None:
    """Its button says so, and can't be pressed."""
    button = till.show(open_show(seats=0)).get_by_role("button", name="Sold out")
    expect(button).to_be_disabled()


def test_a_show_that_sells_out_meanwhile_rejects_the_order(
    till: Till,
    page: Page,
    observatory: Observatory,
    open_show: Callable[..., str],
    buyer: Buyer,
    box_office: BoxOffice,
) -> None:
    """Somebody else gets the last seat just after “Pay”; the page says so, and what to do."""
    show_id = open_show(seats=1)

    def let_somebody_be_faster(route: Route) -> None:
        box_office.wait_for(buyer.place(show_id=show_id))
        route.continue_()

    page.route("**/tokens", let_somebody_be_faster)
    order = till.buy(show_id)
    expect(order).to_have_attribute("data-order-state", "rejected")
    expect(order).to_contain_text("Somebody was faster")
    expect(order).to_contain_text("not charged")
    journey = whole(observatory, order)
    reserve = the(journey, "reserve", "reserve")
    assert reserve["attributes"]["boxoffice.order.state"] == "rejected"
    assert rows_of(journey, "charge") == []
    assert (journey["orphans"], journey["coverage"], journey["errors"]) == (0, 1.0, 0)
