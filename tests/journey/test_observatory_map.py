"""The explorer's map of hops, in a real browser, over an Observatory of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journey.observatory_server import OwnObservatory, accessible
from tests.journey.purchases import crowd, purchase
from tests.unit.observatory.telemetry import CONSUMER, INTERNAL, SERVER, Trace

NewPage = Callable[..., Page]

HOSTILE = '<img src=x onerror="document.title=1"> ' + "x" * 300


def query(page: Page) -> dict[str, list[str]]:
    """The address's parameters."""
    return parse_qs(urlsplit(page.url).query)


def test_services_and_hops_are_drawn_from_the_data(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Every service is a box, every hop a line, and both say their figures."""
    running.send(*crowd(30))
    page = new_page()
    page.goto("/map")
    expect(page.locator(".map-node")).to_have_count(7)
    expect(page.get_by_role("button", name=re.compile("^charge, function"))).to_be_visible()
    expect(
        page.get_by_role("button", name=re.compile("^reserve to charge, pubsub"))
    ).to_be_visible()
    expect(page.get_by_text("Every hop carries the context.")).to_be_visible()
    accessible(page)


def test_a_broken_hop_is_red_and_opens_its_orphans(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """By more than its colour: it is dashed and says how many; one link away are the traces."""
    orphaned = purchase("lost", forget="settle")
    running.send(*crowd(12), orphaned)
    page = new_page()
    page.goto("/map")
    broken = page.get_by_role("button", name=re.compile("settle, webhook.*broken: 1 orphan"))
    expect(page.locator(".map-edge.broken .drawn")).to_contain_text("1 orphan")
    line = page.locator(".hop-line.broken path").first
    assert line.evaluate("line => getComputedStyle(line).strokeDasharray") != "none"
    expect(page.get_by_text(re.compile("The context is lost at webhook"))).to_be_visible()
    broken.click()
    accessible(page)
    page.get_by_role("link", name="Show the traces with orphans").click()
    expect(page).to_have_url(re.compile(r"/\?q="))
    expect(page.locator(".traces tbody tr")).to_have_count(1)
    expect(page.locator(".traces tbody tr")).to_contain_text("lost")


def test_a_choice_is_in_the_address(running: OwnObservatory, new_page: NewPage) -> None:
    """The same page again shows the same figures, and goes on to the traces."""
    running.send(*crowd(10))
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


def test_the_keyboard_reaches_everything_in_reading_order(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Tab goes the way that an order goes; Enter opens, Escape closes and stays there."""
    running.send(*crowd(10))
    page = new_page()
    page.goto("/map")
    expect(page.locator(".map-node").first).to_be_visible()
    page.get_by_role("link", name="Table").focus()
    said = []
    for _ in range(4):
        page.keyboard.press("Tab")
        said.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert said[0].startswith("page, page")
    assert {name.split(",")[0] for name in said[1:3]} == {
        "page to firestore.rules",
        "page to reserve",
    }
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_role("button", name="Close")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Select a service or a hop")).to_be_visible()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == said[3]
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Close details").press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == said[3]


def wide() -> Trace:
    """A trace of as many services as the Box Office has."""
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


FITS = "place => place.scrollWidth <= place.clientWidth"


def test_many_services_fit_the_page_until_one_is_chosen(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Then the drawing scrolls beside the details, keeps the chosen in sight, and says so."""
    running.send(wide())
    page = new_page()
    page.goto("/map")
    expect(page.locator(".map-node")).to_have_count(14)
    drawing, more = page.locator(".map-drawing"), page.get_by_text("The map is wider than the page")
    assert drawing.evaluate(FITS)
    expect(more).to_be_hidden()
    height = page.locator(".map-node .box").first.bounding_box()
    assert height is not None
    assert height["height"] > 40
    page.get_by_role("button", name=re.compile("^issue, function")).click()
    expect(page.get_by_role("complementary", name="issue")).to_be_visible()
    expect(page.locator(".box[aria-pressed=true]")).to_be_in_viewport(ratio=1)
    expect(more).to_be_visible()
    accessible(page)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_on_a_phone_the_keyboard_scrolls_the_map(
    running: OwnObservatory, new_page: NewPage, motion: Literal["no-preference", "reduce"]
) -> None:
    """It begins at the first sender; what is chosen is above the sheet with its details."""
    running.send(wide())
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
    chosen, over = page.locator(".box[aria-pressed=true]").bounding_box(), sheet.bounding_box()
    assert chosen is not None
    assert over is not None
    assert chosen["y"] + chosen["height"] < over["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    accessible(page)


def test_the_table_has_what_the_drawing_shows(running: OwnObservatory, new_page: NewPage) -> None:
    """A row for each service and each hop, by an address of its own."""
    running.send(*crowd(10))
    page = new_page()
    page.goto("/map")
    expect(page.locator(".map-node").first).to_be_visible()
    boxes, labels = page.locator(".map-node").count(), page.locator(".map-edge").count()
    page.get_by_role("link", name="Table").click()
    assert query(page) == {"as": ["table"]}
    tables = page.get_by_role("table")
    expect(tables.nth(0).locator("tbody tr")).to_have_count(boxes)
    expect(tables.nth(1).locator("tbody tr")).to_have_count(labels)
    accessible(page)


def test_what_comes_is_drawn_as_it_comes(running: OwnObservatory, new_page: NewPage) -> None:
    """An empty map says so; the first trace makes it one."""
    page = new_page()
    page.goto("/map?last=all")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    accessible(page)
    running.send(purchase())
    expect(page.locator(".map-node")).to_have_count(7)


def test_the_map_follows_the_selection(running: OwnObservatory, new_page: NewPage) -> None:
    """A filter that matches nothing leads back to everything."""
    running.send(purchase(decline=True), purchase())
    page = new_page()
    page.goto("/map?q=boxoffice.order.state+%3D+declined")
    expect(page.locator(".map-node")).to_have_count(6)
    page.goto("/map?q=service+%3D+nobody")
    page.get_by_role("link", name="Show the map of all stored traces").click()
    expect(page.locator(".map-node")).to_have_count(7)


def test_names_are_text_and_a_phone_scrolls_the_drawing_only(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """A service's name can't become markup, nor push the page wider than the screen."""
    odd = Trace()
    odd.span(HOSTILE, "work", INTERNAL, 0, 5, throughline__root="page")
    running.send(purchase(), odd)
    page = new_page(width=360, height=780)
    page.goto("/map")
    page.get_by_role("button", name=re.compile("^<img")).press("Enter")
    expect(page.get_by_role("complementary").get_by_role("heading")).to_contain_text("<img src=x")
    expect(page.locator("main img")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)
