"""The explorer's log lines, in a real browser, over an Observatory of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.journey.observatory_server import OwnObservatory, accessible
from tests.journey.purchases import crowd, purchase
from tests.unit.observatory.telemetry import INTERNAL, Trace

NewPage = Callable[..., Page]

SCROLL_SECONDS = 40
HOSTILE = '<img src=x onerror="document.title=1">\u202e' + "x" * 300


def rows(page: Page) -> Locator:
    """The lines in sight."""
    return page.locator(".log-row")


def chatter(lines: int, first: int = 0) -> Trace:
    """A trace that does nothing but write so many lines, 2 ms apart, ending about now."""
    trace = Trace()
    trace.began_unix_nano -= lines * 2_000_000
    span = trace.span("talker", "talk", INTERNAL, 0, 2 * lines, throughline__root="page")
    for number in range(first, first + lines):
        trace.log("talker", span, (number - first) * 2, "INFO", f"line {number}")
    return trace


def test_lines_are_beside_their_spans(running: OwnObservatory, new_page: NewPage) -> None:
    """Each says who wrote it when; one click away is its span in its trace."""
    trace = purchase("ticket", fail="charge")
    running.send(trace)
    page = new_page()
    page.goto("/logs")
    wrong = rows(page).filter(has_text="504 Deadline Exceeded")
    expect(wrong).to_contain_text("error")
    expect(rows(page).filter(has_text="held 2 seats")).to_contain_text("reserve")
    accessible(page)
    wrong.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/traces/{trace.trace_id.hex()}\?span=[0-9a-f]{{16}}"))
    page.go_back()
    wrong.get_by_role("button").click()
    accessible(page)
    page.get_by_role("link", name="All log lines of its trace").click()
    expect(page.locator(".log-of-trace")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["trace"] == [trace.trace_id.hex()]


def test_lines_are_found_by_their_text_and_severity(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Both are in the address, so that it can be pasted into a report of a fault."""
    running.send(*crowd(12), purchase(decline=True))
    page = new_page()
    page.goto("/logs")
    page.get_by_label("Search log lines").fill("declined")
    expect(rows(page).first).to_contain_text("the order is declined")
    page.get_by_role("link", name="Warn", exact=True).click()
    expect(page).to_have_url(re.compile(r"text=declined&severity=warn"))
    other = new_page()
    other.goto(page.url)
    expect(rows(other).first).to_contain_text("declined")
    expect(other.get_by_label("Search log lines")).to_have_value("declined")
    other.get_by_label("Search log lines").fill("nobody says this")
    expect(other.get_by_role("heading", name="No log line matches")).to_be_visible()
    other.get_by_role("link", name="Show all stored lines").click()
    expect(rows(other).first).to_be_visible()


def test_the_tail_follows_until_one_scrolls_up(running: OwnObservatory, new_page: NewPage) -> None:
    """Then it holds still, counts what comes, and a click goes back to the newest."""
    running.send(chatter(120))
    page = new_page()
    page.goto("/logs")
    expect(rows(page).last).to_contain_text("line 119")
    running.send(chatter(1, first=500))
    expect(rows(page).last).to_contain_text("line 500")
    bottom = page.locator(".log-scroll").evaluate("place => place.scrollTop")
    page.locator(".log-scroll").hover()
    page.mouse.wheel(0, -900)
    expect(page.get_by_text("Paused while you read")).to_be_visible()
    # It may get there in steps.
    page.wait_for_function(
        "least => document.querySelector('.log-scroll').scrollTop <= least", arg=bottom - 900
    )
    place = page.locator(".log-scroll").evaluate("place => place.scrollTop")
    running.send(chatter(3, first=600))
    newer = page.get_by_role("button", name="3 new lines")
    expect(newer).to_be_visible()
    assert page.locator(".log-scroll").evaluate("place => place.scrollTop") == place
    accessible(page)
    newer.click()
    expect(rows(page).last).to_contain_text("line 602")
    expect(page.get_by_text("Following")).to_be_visible()


def test_thousands_of_lines_scroll_back_to_the_first(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Older ones are fetched as one gets there; only what is in sight is in the page."""
    running.send(chatter(1_500))
    page = new_page()
    page.goto("/logs")
    expect(rows(page).last).to_contain_text("line 1499")
    place, edge = page.locator(".log-scroll"), page.locator(".log-edge")
    deadline = time.monotonic() + SCROLL_SECONDS
    while edge.inner_text() != "The oldest line":
        assert time.monotonic() < deadline
        place.evaluate("place => place.scrollTo(0, 0)")
    place.evaluate("place => place.scrollTo(0, 0)")
    expect(rows(page).first).to_contain_text("line 0")
    assert rows(page).count() < 100


def test_the_keyboard_goes_from_line_to_line(running: OwnObservatory, new_page: NewPage) -> None:
    """Arrows move, Enter opens and closes."""
    running.send(purchase())
    page = new_page()
    page.goto("/logs")
    rows(page).first.get_by_role("button").focus()
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(1).get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".log-opened")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".log-opened")).to_have_count(0)


def test_nothing_yet_becomes_something(running: OwnObservatory, new_page: NewPage) -> None:
    """An empty view says where lines come from; the first one appears by itself."""
    page = new_page()
    page.goto("/logs?last=all")
    expect(page.get_by_role("heading", name="No log lines yet")).to_be_visible()
    accessible(page)
    running.send(purchase())
    expect(rows(page).filter(has_text="held 2 seats")).to_be_visible()


def test_lines_are_text_at_any_width(running: OwnObservatory, new_page: NewPage) -> None:
    """What somebody else wrote can't become markup, nor push the page wider than a phone."""
    trace = Trace()
    span = trace.span("talker", "talk", INTERNAL, 0, 9, throughline__root="page")
    trace.log("talker", span, 1, "WARN", HOSTILE)
    running.send(trace)
    page = new_page(width=360, height=780)
    page.goto("/logs")
    rows(page).first.get_by_role("button").click()
    expect(page.locator(".log-opened pre")).to_have_text(HOSTILE)
    expect(page.locator("main img")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)
