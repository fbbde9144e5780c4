"""The explorer's log view in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.journey.observatory_server import ObservatoryServer, assert_accessible
from tests.journey.purchases import many_purchases, purchase
from tests.unit.observatory.telemetry import INTERNAL, Trace

NewPage = Callable[..., Page]

SCROLL_SECONDS = 40
HOSTILE = '<img src=x onerror="document.title=1">\u202e' + "x" * 300


def rows(page: Page) -> Locator:
    """Return the rows in the document, which are those on screen and a few around them."""
    return page.locator(".log-row")


def trace_with_log_lines(lines: int, first: int = 0) -> Trace:
    """Return a trace with that number of log lines, 2 ms apart, the last about now."""
    trace = Trace()
    trace.began_unix_nano -= lines * 2_000_000
    span = trace.span("talker", "talk", INTERNAL, 0, 2 * lines, throughline__root="page")
    for number in range(first, first + lines):
        trace.log("talker", span, (number - first) * 2, "INFO", f"line {number}")
    return trace


def test_log_lines_link_to_their_spans(server: ObservatoryServer, new_page: NewPage) -> None:
    """Each line has its service and severity, and links to its span and its trace's lines."""
    trace = purchase("ticket", failing="charge")
    server.send(trace)
    page = new_page()
    page.goto("/logs")
    error_line = rows(page).filter(has_text="504 Deadline Exceeded")
    expect(error_line).to_contain_text("error")
    expect(rows(page).filter(has_text="held 2 seats")).to_contain_text("reserve")
    assert_accessible(page)
    error_line.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/traces/{trace.trace_id.hex()}\?span=[0-9a-f]{{16}}"))
    page.go_back()
    error_line.get_by_role("button").click()
    assert_accessible(page)
    page.get_by_role("link", name="All log lines of its trace").click()
    expect(page.locator(".log-of-trace")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["trace"] == [trace.trace_id.hex()]


def test_log_lines_are_filtered_by_text_and_severity(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Both are in the address, so that it can be pasted into a bug report."""
    server.send(*many_purchases(12), purchase(decline=True))
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
    other.get_by_label("Search log lines").fill("absent text")
    expect(other.get_by_role("heading", name="No log line matches")).to_be_visible()
    other.get_by_role("link", name="Show all stored lines").click()
    expect(rows(other).first).to_be_visible()


def test_scrolling_up_pauses_the_tail(server: ObservatoryServer, new_page: NewPage) -> None:
    """A button then counts the new lines; a click on it returns to the newest."""
    server.send(trace_with_log_lines(120))
    page = new_page()
    page.goto("/logs")
    expect(rows(page).last).to_contain_text("line 119")
    server.send(trace_with_log_lines(1, first=500))
    expect(rows(page).last).to_contain_text("line 500")
    bottom = page.locator(".log-scroll").evaluate("element => element.scrollTop")
    page.locator(".log-scroll").hover()
    page.mouse.wheel(0, -900)
    expect(page.get_by_text("Paused while you read")).to_be_visible()
    # The browser may scroll in several steps.
    page.wait_for_function(
        "max => document.querySelector('.log-scroll').scrollTop <= max", arg=bottom - 900
    )
    scroll_top = page.locator(".log-scroll").evaluate("element => element.scrollTop")
    server.send(trace_with_log_lines(3, first=600))
    new_lines = page.get_by_role("button", name="3 new lines")
    expect(new_lines).to_be_visible()
    assert page.locator(".log-scroll").evaluate("element => element.scrollTop") == scroll_top
    assert_accessible(page)
    new_lines.click()
    expect(rows(page).last).to_contain_text("line 602")
    expect(page.get_by_text("Following")).to_be_visible()


def test_thousands_of_lines_scroll_back_to_the_first(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Older lines are fetched while scrolling; only visible ones are in the document."""
    server.send(trace_with_log_lines(1_500))
    page = new_page()
    page.goto("/logs")
    expect(rows(page).last).to_contain_text("line 1499")
    log, edge = page.locator(".log-scroll"), page.locator(".log-edge")
    deadline = time.monotonic() + SCROLL_SECONDS
    while edge.inner_text() != "No older lines":
        assert time.monotonic() < deadline
        log.evaluate("element => element.scrollTo(0, 0)")
    log.evaluate("element => element.scrollTo(0, 0)")
    expect(rows(page).first).to_contain_text("line 0")
    assert rows(page).count() < 100


def test_the_log_can_be_read_by_keyboard(server: ObservatoryServer, new_page: NewPage) -> None:
    """Arrow keys move between lines, Enter expands and collapses one."""
    server.send(purchase())
    page = new_page()
    page.goto("/logs")
    rows(page).first.get_by_role("button").focus()
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(1).get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".log-opened")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".log-opened")).to_have_count(0)


def test_the_first_log_line_replaces_the_empty_state(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The page is not reloaded."""
    page = new_page()
    page.goto("/logs?last=all")
    expect(page.get_by_role("heading", name="No log lines yet")).to_be_visible()
    assert_accessible(page)
    server.send(purchase())
    expect(rows(page).filter(has_text="held 2 seats")).to_be_visible()


def test_hostile_log_lines_are_shown_as_text(server: ObservatoryServer, new_page: NewPage) -> None:
    """They are not rendered as markup and do not make a phone's page scroll sideways."""
    trace = Trace()
    span = trace.span("talker", "talk", INTERNAL, 0, 9, throughline__root="page")
    trace.log("talker", span, 1, "WARN", HOSTILE)
    server.send(trace)
    page = new_page(width=360, height=780)
    page.goto("/logs")
    rows(page).first.get_by_role("button").click()
    expect(page.locator(".log-opened pre")).to_have_text(HOSTILE)
    expect(page.locator("main img")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)
