"""Purchases in a browser, and the trace of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from observatory.client import Observatory
from observatory.schemas.journey import Journey, Row
from tests.addresses import Addresses
from tests.buyer import BoxOffice, Buyer
from tests.journey.conftest import BoxOfficePage, open_page
from tests.spans import has_spans, one_row, rows_of, wait_for
from tests.trace_plugin import Trace, WholeTrace
from tests.unit.framework import ROOT

# Service, name, kind and hop of the spans from the click to the page's last update. Each is the
# parent of the next.
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
WRITE, DECISION = ("page", "create orders"), ("firestore.rules", "create orders allowed")


@dataclass(frozen=True)
class Bought:
    """A ticketed order of one seat of a show, on the page where it was bought."""

    page: Page
    order: Locator
    show_id: str


@pytest.fixture(scope="module")
def bought(browser: Browser, addresses: Addresses, box_office: BoxOffice) -> Iterator[Bought]:
    """A purchase that succeeded; all tests that only look at one share it."""
    show_id = box_office.open_show(5, 1000)
    with open_page(browser, addresses.hosting) as page:
        order = BoxOfficePage(page).buy(show_id)
        expect(order).to_have_attribute("data-order-state", "ticketed")
        yield Bought(page, order, show_id)
    box_office.close_show(show_id)


def trace_of(whole_trace: WholeTrace, order: Locator) -> Trace:
    """Return the order's trace once it has the page's last update and the rules' decision."""
    state = order.get_attribute("data-order-state")
    trace_id = order.get_attribute("data-trace-id") or ""
    is_complete = has_spans(("page", f"order {state}"), DECISION)
    return whole_trace(trace_id, until=lambda trace: is_complete(trace.journey))


def test_a_purchase_is_one_trace_from_click_to_last_update(
    bought: Bought, whole_trace: WholeTrace
) -> None:
    """Every hop in order, each with the right parent, without orphans or errors."""
    trace = trace_of(whole_trace, bought.order)
    spans = [trace.one(service, name) for service, name, _, _ in SPINE]
    for row, (_, _, kind, hop) in zip(spans, SPINE, strict=True):
        assert (row["kind"], row["hop"]) == (kind, hop)
        assert hop is None or row["context"] == "carried"
    for above, below in pairwise(spans):
        trace.parent(below, above)
    trace.parent(trace.one(*DECISION), trace.one(*WRITE))
    trace.no_orphans()
    journey = trace.journey
    # The hold's task and the audit events run beside the purchase, at their own times.
    spine = [service for service in journey["services"] if service not in ("expire", "audit")]
    assert spine == ["page", "firestore.rules", "reserve", "charge", "acquirer", "settle", "issue"]
    assert journey["errors"] == 0
    buy = spans[0]
    assert buy["root"] == "page"
    assert buy["attributes"]["boxoffice.order.id"] == bought.order.get_attribute("data-order-id")
    assert buy["attributes"]["boxoffice.show.id"] == bought.show_id


def test_every_span_of_a_purchase_names_its_source_line(
    bought: Bought, whole_trace: WholeTrace
) -> None:
    """Spans of the page, the rules, the functions, their libraries and the card processor."""
    rows = trace_of(whole_trace, bought.order).journey["rows"]
    lines = {f"{row['service']}: {row['label']}": source_line(row) for row in rows}
    assert {name for name, line in lines.items() if not line} == set()
    assert lines["page: buy"] == (
        "frontend/src/app/buyer/purchase/buy.ts",
        "line: __SOURCE_LINE__,",
    )
    assert lines["reserve: send order-reserved"] == (
        "functions/boxoffice/topics.py",
        "with throughline.sending(topic) as context:",
    )
    assert lines["charge: POST /charges"] == (
        "functions/boxoffice/acquirer.py",
        'with throughline.calling("POST", url) as call:',
    )


def source_line(row: Row) -> tuple[str, str] | None:
    """Return a span's source file and the text of its line; None unless both exist."""
    source = row["source"]
    if source is None or source["line"] is None or not (ROOT / source["file"]).is_file():
        return None
    lines = (ROOT / source["file"]).read_text().splitlines()[: source["line"]]
    return (source["file"], lines[-1].strip()) if len(lines) == source["line"] else None


def test_each_update_of_the_page_is_a_child_of_the_stage_that_wrote_it(
    bought: Bought, observatory: Observatory, whole_trace: WholeTrace
) -> None:
    """Each update's span also links the page view in which it arrived.

    Firestore may skip intermediate states, so not every one need arrive.
    """
    trace = trace_of(whole_trace, bought.order)
    writers = {"reserved": "reserve", "charging": "charge", "paid": "settle", "ticketed": "issue"}
    updates = [row for row in trace.find("page") if row["hop"] == "listener"]
    if len(updates) < 2:
        raise trace.failure("at least two updates on the page", str(len(updates)))
    for row in updates:
        state = row["name"].removeprefix("order ")
        writer = (writers[state], writers[state]) if state in writers else WRITE
        trace.parent(row, trace.one(*writer))
        assert row["attributes"]["boxoffice.order.state"] == state
        (view,) = row["links"]
        assert view["stored"]
        view_trace = observatory.trace(view["trace_id"])
        assert one_row(view_trace, "page", "page view")["root"] == "page"


def test_the_buyer_gets_tickets(bought: Bought) -> None:
    """The ticket on the page has a code made from the order's id."""
    order_id = bought.order.get_attribute("data-order-id") or ""
    ticket = bought.page.locator("[data-ticket-code]")
    expect(ticket).to_have_count(1)
    expect(ticket).to_have_attribute("data-ticket-code", f"TEST-{order_id[-6:].upper()}-1")


def test_the_order_links_to_its_trace(bought: Bought) -> None:
    """“See this order's trace” opens this order's waterfall in the Observatory."""
    with bought.page.expect_popup() as opened:
        bought.order.get_by_role("link", name="See this order's trace").click()
    explorer = opened.value
    trace_id = bought.order.get_attribute("data-trace-id")
    expect(explorer).to_have_url(re.compile(f"/traces/{trace_id}$"))
    for service in ("reserve", "charge", "acquirer", "settle", "issue"):
        expect(explorer.get_by_text(service, exact=True).first).to_be_visible()
    explorer.close()


def test_the_support_code_identifies_the_orders_trace(
    bought: Bought, observatory: Observatory, whole_trace: WholeTrace
) -> None:
    """The code shown is the first eight digits of the trace id; the button copies the whole id."""
    page, order = bought.page, bought.order
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.bring_to_front()
    trace_id = trace_of(whole_trace, order).journey["trace_id"]
    code = order.locator("code").inner_text()
    assert len(code) == 8
    assert observatory.find_id(code) == trace_id
    order.get_by_role("button", name="Copy support code").click()
    expect(order.get_by_role("button", name="Copied support code")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == trace_id


def test_a_declined_card_is_explained(
    box_office_page: BoxOfficePage,
    page: Page,
    whole_trace: WholeTrace,
    open_show: Callable[..., str],
) -> None:
    """Nothing was charged, the seats are for sale again, and the trace ends with `settle`."""
    show_id = open_show(seats=5)
    order = box_office_page.buy(show_id, card="Declined")
    expect(order).to_have_attribute("data-order-state", "declined")
    expect(order).to_contain_text("Nothing was charged")
    expect(box_office_page.show(show_id)).to_have_attribute("data-seats-left", "5")
    trace = trace_of(whole_trace, order)
    trace.parent(trace.one("page", "order declined"), trace.one("settle", "settle"))
    trace.none("issue")
    trace.no_orphans()
    expect(page.locator("[data-ticket-code]")).to_have_count(0)


@pytest.mark.parametrize("number", ["4000000000006421", "4000000000006447"], ids=["402", "422"])
def test_a_card_that_the_processor_refuses_is_explained(
    box_office_page: BoxOfficePage,
    page: Page,
    whole_trace: WholeTrace,
    open_show: Callable[..., str],
    number: str,
) -> None:
    """Nothing was charged, the seats are for sale again, and the trace ends with `charge`."""
    show_id = open_show(seats=5)
    box_office_page.open(show_id)
    page.get_by_label("Card number").fill(number)
    page.get_by_role("button", name="Pay").click()
    order = page.locator(".order[data-order-id]").first
    expect(order).to_have_attribute("data-order-state", "failed")
    expect(order).to_contain_text("The card processor refused")
    expect(order).to_contain_text("Nothing was charged")
    expect(box_office_page.show(show_id)).to_have_attribute("data-seats-left", "5")
    trace = trace_of(whole_trace, order)
    trace.parent(trace.one("page", "order failed"), trace.one("charge", "charge"))
    trace.none("settle")
    trace.no_orphans()


def test_a_charge_of_another_amount_is_explained(
    box_office_page: BoxOfficePage,
    page: Page,
    open_show: Callable[..., str],
    box_office: BoxOffice,
) -> None:
    """The page says that the money goes back."""
    order = box_office_page.buy(open_show(seats=5))
    expect(order).to_have_attribute("data-order-state", "ticketed")
    order_id = order.get_attribute("data-order-id")
    fields = {"state": "failed", "reason": "charge_differs"}
    box_office.documents.update(f"orders/{order_id}", fields).raise_for_status()
    expect(order).to_contain_text("charged another amount")
    expect(order).to_contain_text("goes back to your card")
    expect(page.get_by_text("Order failed").first).to_be_visible()


def test_a_sold_out_show_has_a_disabled_button(
    box_office_page: BoxOfficePage, open_show: Callable[..., str]
) -> None:
    button = box_office_page.show(open_show(seats=0)).get_by_role("button", name="Sold out")
    expect(button).to_be_disabled()


def test_an_order_is_rejected_if_the_show_sells_out_first(
    box_office_page: BoxOfficePage,
    page: Page,
    whole_trace: WholeTrace,
    open_show: Callable[..., str],
    buyer: Buyer,
    box_office: BoxOffice,
) -> None:
    """Another buyer takes the last seat after “Pay” was pressed; the page explains it."""
    show_id = open_show(seats=1)

    def sell_the_last_seat(route: Route) -> None:
        box_office.wait_for(buyer.place(show_id=show_id))
        route.continue_()

    page.route("**/tokens", sell_the_last_seat)
    order = box_office_page.buy(show_id)
    expect(order).to_have_attribute("data-order-state", "rejected")
    expect(order).to_contain_text("Another buyer was faster")
    expect(order).to_contain_text("not charged")
    trace = trace_of(whole_trace, order)
    trace.one("reserve", "reserve", **{"boxoffice.order.state": "rejected"})
    trace.none("charge")
    trace.no_orphans()
    assert trace.journey["errors"] == 0


def test_a_write_denied_by_the_rules_names_the_deciding_line(
    box_office_page: BoxOfficePage,
    page: Page,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> None:
    """The denial's span is below the click's, and the explorer marks the line of the rules."""
    page.route(
        "**/tokens",
        lambda route: route.fulfill(
            status=201,
            headers={"Access-Control-Allow-Origin": "*"},
            json={"token": "not a token", "brand": "visa", "last4": "4242"},
        ),
    )
    show_id = open_show(seats=5)
    box_office_page.open(show_id)
    page.get_by_role("button", name="Approved").click()
    page.get_by_role("button", name="Pay").click()

    def traces_of_show() -> list[Journey]:
        traces = observatory.traces(service="firestore.rules")["traces"]
        journeys = [observatory.trace(trace["trace_id"]) for trace in traces]
        return [journey for journey in journeys if show_of(journey) == show_id]

    def show_of(journey: Journey) -> object:
        buy = rows_of(journey, "page", "buy")
        return buy[0]["attributes"].get("boxoffice.show.id") if buy else None

    (journey,) = wait_for(traces_of_show)
    trace = Trace(journey)
    denied, write = trace.one("firestore.rules", "create orders denied"), trace.one(*WRITE)
    trace.parent(denied, write)
    trace.parent(write, trace.one("page", "buy"))
    assert "`&& order.card_token.matches(" in denied["status_message"]
    trace.no_orphans()
    page.goto(f"{observatory.url}/traces/{journey['trace_id']}?span={denied['span_id']}")
    details = page.get_by_role("complementary", name="create orders denied")
    expect(details.locator(".deciding")).to_contain_text("order.card_token.matches")
