"""One purchase in a real browser, from the click to the page's last update, as one trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from playwright.sync_api import Locator, Page, Route, expect

from observatory.client import Observatory
from observatory.schemas.journey import Journey, Row
from tests.buyer import BoxOffice, Buyer
from tests.journey.conftest import Till
from tests.spans import has_spans, one_row, rows_of, wait_for
from tests.trace_plugin import Trace, WholeTrace
from tests.unit.framework import ROOT

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
WRITE, DECISION = ("page", "create orders"), ("firestore.rules", "create orders allowed")


def whole(whole_trace: WholeTrace, order: Locator) -> Trace:
    """The order's trace, complete with the page's last update and the rules' decision."""
    state = order.get_attribute("data-order-state")
    trace_id = order.get_attribute("data-trace-id") or ""
    ends = has_spans(("page", f"order {state}"), DECISION)
    return whole_trace(trace_id, until=lambda seen: ends(seen.journey))


def test_a_purchase_is_one_trace_from_click_to_last_update(
    till: Till, whole_trace: WholeTrace, open_show: Callable[..., str]
) -> None:
    """Every hop in order, each with the parent it should have, and nothing missing or astray."""
    show_id = open_show(seats=5)
    order = till.buy(show_id)
    expect(order).to_have_attribute("data-order-state", "ticketed")
    trace = whole(whole_trace, order)
    spans = [trace.one(service, name) for service, name, _, _ in SPINE]
    for row, (_, _, kind, hop) in zip(spans, SPINE, strict=True):
        assert (row["kind"], row["hop"]) == (kind, hop)
        assert hop is None or row["context"] == "carried"
    for above, below in pairwise(spans):
        trace.parent(below, above)
    trace.parent(trace.one(*DECISION), trace.one(*WRITE))
    trace.no_orphans()
    journey = trace.journey
    # The end of the hold and the audit trail go their own ways beside the purchase.
    spine = [service for service in journey["services"] if service not in ("expire", "audit")]
    assert spine == ["page", "firestore.rules", "reserve", "charge", "acquirer", "settle", "issue"]
    assert journey["errors"] == 0
    buy = spans[0]
    assert buy["root"] == "page"
    assert buy["attributes"]["boxoffice.order.id"] == order.get_attribute("data-order-id")
    assert buy["attributes"]["boxoffice.show.id"] == show_id


def test_every_span_of_a_purchase_names_the_line_that_began_it(
    till: Till, whole_trace: WholeTrace, open_show: Callable[..., str]
) -> None:
    """Whoever made it: the page, the rules, a function, a library of its, the processor."""
    order = till.buy(open_show(seats=5))
    expect(order).to_have_attribute("data-order-state", "ticketed")
    rows = whole(whole_trace, order).journey["rows"]
    found = {f"{row['service']}: {row['label']}": line_of(row) for row in rows}
    assert {name for name, line in found.items() if not line} == set()
    assert found["page: buy"] == (
        "frontend/src/app/buyer/purchase/buy.ts",
        "line: __SOURCE_LINE__,",
    )
    assert found["reserve: send order-reserved"] == (
        "functions/boxoffice/topics.py",
        "with throughline.sending(topic) as context:",
    )
    assert found["charge: POST /charges"] == (
        "functions/boxoffice/acquirer.py",
        'with throughline.calling("POST", url) as call:',
    )


def line_of(row: Row) -> tuple[str, str] | None:
    """The file that a span names and its line there; None where it names none that there is."""
    source = row["source"]
    if source is None or source["line"] is None or not (ROOT / source["file"]).is_file():
        return None
    lines = (ROOT / source["file"]).read_text().splitlines()[: source["line"]]
    return (source["file"], lines[-1].strip()) if len(lines) == source["line"] else None


def test_what_the_page_hears_joins_the_stage_that_said_it(
    till: Till,
    observatory: Observatory,
    whole_trace: WholeTrace,
    open_show: Callable[..., str],
) -> None:
    """Each state's span lies under the stage that wrote it, and links the page's own view.

    Firestore may skip a state that the next one overtook, so those in between need not all come.
    """
    order = till.buy(open_show(seats=5))
    expect(order).to_have_attribute("data-order-state", "ticketed")
    trace = whole(whole_trace, order)
    writers = {"reserved": "reserve", "charging": "charge", "paid": "settle", "ticketed": "issue"}
    heard = [row for row in trace.find("page") if row["hop"] == "listener"]
    if len(heard) < 2:
        raise trace.failure("two states at least that the page heard of", str(len(heard)))
    for row in heard:
        state = row["name"].removeprefix("order ")
        writer = (writers[state], writers[state]) if state in writers else WRITE
        trace.parent(row, trace.one(*writer))
        assert row["attributes"]["boxoffice.order.state"] == state
        (view,) = row["links"]
        assert view["stored"]
        view_trace = observatory.trace(view["trace_id"])
        assert one_row(view_trace, "page", "page view")["root"] == "page"


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


def test_an_order_shows_a_support_code_that_leads_to_its_trace(
    till: Till,
    page: Page,
    observatory: Observatory,
    whole_trace: WholeTrace,
    open_show: Callable[..., str],
) -> None:
    """Short enough to be read out; what the button copies is the whole id."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    order = till.buy(open_show(seats=5))
    expect(order).to_have_attribute("data-order-state", "ticketed")
    trace_id = whole(whole_trace, order).journey["trace_id"]
    code = order.locator("code").inner_text()
    assert len(code) == 8
    assert observatory.find_id(code) == trace_id
    order.get_by_role("button", name="Copy support code").click()
    expect(order.get_by_role("button", name="Copied support code")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == trace_id


def test_a_declined_card_is_explained(
    till: Till, page: Page, whole_trace: WholeTrace, open_show: Callable[..., str]
) -> None:
    """The page says what happened and what to do; the trace ends where the money didn't come."""
    show_id = open_show(seats=5)
    order = till.buy(show_id, card="Declined")
    expect(order).to_have_attribute("data-order-state", "declined")
    expect(order).to_contain_text("Nothing was charged")
    expect(till.show(show_id)).to_have_attribute("data-seats-left", "5")
    trace = whole(whole_trace, order)
    trace.parent(trace.one("page", "order declined"), trace.one("settle", "settle"))
    trace.none("issue")
    trace.no_orphans()
    expect(page.locator("[data-ticket-code]")).to_have_count(0)


def test_a_sold_out_show_is_not_for_sale(till: Till, open_show: Callable[..., str]) -> None:
    """Its button says so, and can't be pressed."""
    button = till.show(open_show(seats=0)).get_by_role("button", name="Sold out")
    expect(button).to_be_disabled()


def test_a_show_that_sells_out_meanwhile_rejects_the_order(
    till: Till,
    page: Page,
    whole_trace: WholeTrace,
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
    trace = whole(whole_trace, order)
    trace.one("reserve", "reserve", **{"boxoffice.order.state": "rejected"})
    trace.none("charge")
    trace.no_orphans()
    assert trace.journey["errors"] == 0


def test_a_write_that_the_rules_deny_says_why_under_the_click(
    till: Till, page: Page, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The page can't say more than that it failed; its trace names the line that said no."""
    page.route(
        "**/tokens",
        lambda route: route.fulfill(
            status=201,
            headers={"Access-Control-Allow-Origin": "*"},
            json={"token": "not a token", "brand": "visa", "last4": "4242"},
        ),
    )
    show_id = open_show(seats=5)
    till.open(show_id)
    page.get_by_role("button", name="Approved").click()
    page.get_by_role("button", name="Pay").click()

    def of_show() -> list[Journey]:
        found = observatory.traces(service="firestore.rules")["traces"]
        journeys = [observatory.trace(line["trace_id"]) for line in found]
        return [journey for journey in journeys if bought(journey) == show_id]

    def bought(journey: Journey) -> object:
        buy = rows_of(journey, "page", "buy")
        return buy[0]["attributes"].get("boxoffice.show.id") if buy else None

    (journey,) = wait_for(of_show)
    trace = Trace(journey)
    denied, write = trace.one("firestore.rules", "create orders denied"), trace.one(*WRITE)
    trace.parent(denied, write)
    trace.parent(write, trace.one("page", "buy"))
    assert "`&& order.card_token.matches(" in denied["status_message"]
    trace.no_orphans()
    page.goto(f"{observatory.url}/traces/{journey['trace_id']}?span={denied['span_id']}")
    details = page.get_by_role("complementary", name="create orders denied")
    expect(details.locator(".deciding")).to_contain_text("order.card_token.matches")
