"""The explorer's map of services and hops in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journey.observatory_server import ObservatoryServer, assert_accessible
from tests.journey.purchases import many_purchases, purchase
from tests.unit.observatory.telemetry import CONSUMER, INTERNAL, SERVER, Trace

NewPage = Callable[..., Page]

HOSTILE = '<img src=x onerror="document.title=1"> ' + "x" * 300


def query(page: Page) -> dict[str, list[str]]:
    """Return the query parameters of the page's address."""
    return parse_qs(urlsplit(page.url).query)


def test_services_and_hops_are_drawn_from_the_data(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Every service is a box and every hop a line, each with its figures."""
    server.send(*many_purchases(30))
    page = new_page()
    page.goto("/map")
    expect(page.locator(".map-node")).to_have_count(7)
    expect(page.get_by_role("button", name=re.compile("^charge, function"))).to_be_visible()
    expect(
        page.get_by_role("button", name=re.compile("^reserve to charge, pubsub"))
    ).to_be_visible()
    expect(page.get_by_text("Every hop carries the context.")).to_be_visible()
    assert_accessible(page)


def test_a_broken_hop_is_marked_and_links_to_its_orphans(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """It differs by more than its colour: its line is dashed, and its label counts the orphans."""
    orphaned = purchase("lost", orphaned="settle")
    server.send(*many_purchases(12), orphaned)
    page = new_page()
    page.goto("/map")
    broken = page.get_by_role("button", name=re.compile("settle, webhook.*broken: 1 orphan"))
    expect(page.locator(".map-edge.broken .drawn")).to_contain_text("1 orphan")
    line = page.locator(".hop-line.broken path").first
    assert line.evaluate("line => getComputedStyle(line).strokeDasharray") != "none"
    expect(page.get_by_text(re.compile("The context is lost at webhook"))).to_be_visible()
    broken.click()
    assert_accessible(page)
    page.get_by_role("link", name="Show the traces with orphans").click()
    expect(page).to_have_url(re.compile(r"/\?q="))
    expect(page.locator(".traces tbody tr")).to_have_count(1)
    expect(page.locator(".traces tbody tr")).to_contain_text("lost")


def test_the_selected_service_is_in_the_address(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The same address shows the same details; a hop links to its traces."""
    server.send(*many_purchases(10))
    page = new_page()
    page.goto("/map")
    page.get_by_role("button", name=re.compile("^charge, function")).click()
    expect(page.get_by_role("heading", name="charge")).to_be_visible()
    other = new_page()
    other.goto(page.url)
    aside = other.get_by_role("complementary")
    expect(aside).to_contain_text("Calls")
    aside.get_by_role("button", name="acquirer").click()
    expect(aside.get_by_role("heading")).to_have_text("charge → acquirer")
    aside.get_by_role("link", name="Traces with this hop").click()
    assert query(other)["q"] == ['hop = "vendor" and service = "acquirer"']


def test_tab_follows_the_order_of_the_hops(server: ObservatoryServer, new_page: NewPage) -> None:
    """Enter opens the details; Escape and “Close details” return the focus to the hop."""
    server.send(*many_purchases(10))
    page = new_page()
    page.goto("/map")
    expect(page.locator(".map-node").first).to_be_visible()
    page.get_by_role("link", name="Table").focus()
    focused = "document.activeElement.getAttribute('aria-label')"
    labels = []
    for _ in range(4):
        page.keyboard.press("Tab")
        labels.append(page.evaluate(focused))
    assert labels[0].startswith("page, page")
    assert {label.split(",")[0] for label in labels[1:3]} == {
        "page to firestore.rules",
        "page to reserve",
    }
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_role("button", name="Close")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Select a service or a hop")).to_be_visible()
    assert page.evaluate(focused) == labels[3]
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Close details").press("Enter")
    assert page.evaluate(focused) == labels[3]


def trace_of_all_services() -> Trace:
    """Return a trace through every service of the Box Office."""
    trace = Trace()
    top = trace.span("page", "buy", INTERNAL, 0, 90, throughline__root="page")
    for service in ("quote", "availability", "refund", "welcome", "firestore.rules"):
        trace.span(service, service, SERVER, 5, 20, top, throughline__hop="callable")
    before = top
    for service in ("reserve", "charge", "settle", "issue"):
        before = trace.span(service, service, CONSUMER, 10, 40, before, throughline__hop="pubsub")
        trace.span("audit", "audit", CONSUMER, 50, 60, before, throughline__hop="pubsub")
    trace.span("acquirer", "POST /charges", SERVER, 20, 30, before, throughline__hop="vendor")
    swept = trace.span("sweep", "sweep", CONSUMER, 0, 9, throughline__root="schedule")
    trace.span("expire", "expire", CONSUMER, 5, 9, swept, throughline__hop="task")
    return trace


FITS = "element => element.scrollWidth <= element.clientWidth"


def test_many_services_fit_the_page_until_one_is_selected(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Then the map scrolls beside the details and keeps the selected service visible."""
    server.send(trace_of_all_services())
    page = new_page()
    page.goto("/map")
    expect(page.locator(".map-node")).to_have_count(14)
    hint = page.get_by_text("The map is wider than the page")
    assert page.locator(".map-drawing").evaluate(FITS)
    expect(hint).to_be_hidden()
    bounds = page.locator(".map-node .box").first.bounding_box()
    assert bounds is not None
    assert bounds["height"] > 40
    page.get_by_role("button", name=re.compile("^issue, function")).click()
    expect(page.get_by_role("complementary", name="issue")).to_be_visible()
    expect(page.locator(".box[aria-pressed=true]")).to_be_in_viewport(ratio=1)
    expect(hint).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize(
    "motion", ["reduce", pytest.param("no-preference", marks=pytest.mark.long)]
)
def test_on_a_phone_the_keyboard_scrolls_the_map(
    server: ObservatoryServer, new_page: NewPage, motion: Literal["no-preference", "reduce"]
) -> None:
    """It starts at the first service; a selected one stays above the sheet with its details."""
    server.send(trace_of_all_services())
    page = new_page(width=400, height=800)
    page.emulate_media(reduced_motion=motion)
    page.goto("/map")
    expect(page.get_by_role("button", name=re.compile("^page, page"))).to_be_in_viewport()
    expect(page.get_by_text("The map is wider than the page")).to_be_visible()
    drawing = page.locator(".map-drawing")
    drawing.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.map-drawing').scrollLeft > 0")
    page.get_by_role("button", name=re.compile("^settle, function")).press("Enter")
    sheet = page.get_by_role("complementary", name="settle")
    expect(sheet).to_be_visible()
    selected = page.locator(".box[aria-pressed=true]").bounding_box()
    sheet_bounds = sheet.bounding_box()
    assert selected is not None
    assert sheet_bounds is not None
    assert selected["y"] + selected["height"] < sheet_bounds["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert_accessible(page)


def test_the_table_has_a_row_for_each_service_and_hop(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The choice of the table is in the address."""
    server.send(*many_purchases(10))
    page = new_page()
    page.goto("/map")
    expect(page.locator(".map-node").first).to_be_visible()
    boxes, labels = page.locator(".map-node").count(), page.locator(".map-edge").count()
    page.get_by_role("link", name="Table").click()
    assert query(page) == {"as": ["table"]}
    tables = page.get_by_role("table")
    expect(tables.nth(0).locator("tbody tr")).to_have_count(boxes)
    expect(tables.nth(1).locator("tbody tr")).to_have_count(labels)
    assert_accessible(page)


def test_new_traces_appear_without_a_reload(server: ObservatoryServer, new_page: NewPage) -> None:
    """An empty map has an empty state until the first trace arrives."""
    page = new_page()
    page.goto("/map?last=all")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    assert_accessible(page)
    server.send(purchase())
    expect(page.locator(".map-node")).to_have_count(7)


def test_the_map_shows_the_filtered_traces(server: ObservatoryServer, new_page: NewPage) -> None:
    """A filter that matches no trace has a link to the map of all traces."""
    server.send(purchase(decline=True), purchase())
    page = new_page()
    page.goto("/map?q=boxoffice.order.state+%3D+declined")
    expect(page.locator(".map-node")).to_have_count(6)
    page.goto("/map?q=service+%3D+absent")
    page.get_by_role("link", name="Show the map of all stored traces").click()
    expect(page.locator(".map-node")).to_have_count(7)


def test_hostile_service_names_are_shown_as_text(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """They are not rendered as markup and do not make a phone's page scroll sideways."""
    trace = Trace()
    trace.span(HOSTILE, "work", INTERNAL, 0, 5, throughline__root="page")
    server.send(purchase(), trace)
    page = new_page(width=360, height=780)
    page.goto("/map")
    page.get_by_role("button", name=re.compile("^<img")).press("Enter")
    expect(page.get_by_role("complementary").get_by_role("heading")).to_contain_text("<img src=x")
    expect(page.locator("main img")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)
