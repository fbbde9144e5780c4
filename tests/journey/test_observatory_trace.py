"""The explorer's trace view in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from playwright.sync_api import Locator, Page, expect

from tests.journey.observatory_server import ROOT, ObservatoryServer, assert_accessible
from tests.unit.local_server import eventually
from tests.unit.observatory.telemetry import (
    CLIENT,
    CONSUMER,
    ERROR,
    INTERNAL,
    MS,
    PRODUCER,
    Trace,
    key_values,
    purchase,
)

STACK = 'Traceback (most recent call last):\n  File "charge.py", line 42, in charge\n'
EVIL = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
NewPage = Callable[..., Page]
LARGE_TRACES = pytest.mark.parametrize("spans", [800, pytest.param(5_000, marks=pytest.mark.long)])


def unix_nano_ago(seconds: float = 60) -> int:
    """Return the time that many seconds ago; a trace of a minute ago counts as complete."""
    return time.time_ns() - round(seconds * 1000) * MS


def span_of(trace: Trace, service: str, name: str) -> Span:
    """Return the first span of that service and name."""
    return next(span for owner, span in trace.spans if (owner, span.name) == (service, name))


def without_spans(trace: Trace, *names: str) -> Trace:
    """Remove the spans of those names, and return the trace."""
    trace.spans = [(service, span) for service, span in trace.spans if span.name not in names]
    return trace


def failed_purchase() -> Trace:
    """Return a purchase whose charge raises an exception and logs a warning."""
    trace = purchase("FAIL-1", unix_nano_ago())
    charge = span_of(trace, "charge", "charge")
    charge.status.CopyFrom(Status(code=ERROR, message="the acquirer answered 503"))
    exception = {
        "exception.type": "requests.HTTPError",
        "exception.message": "503 Server Error",
        "exception.stacktrace": STACK,
    }
    source = {"code.file.path": "functions/boxoffice/charge.py", "code.line.number": 42}
    charge.attributes.extend(key_values(source))
    charge.events.add(
        name="exception",
        time_unix_nano=trace.began_unix_nano + 840 * MS,
        attributes=key_values(exception),
    )
    trace.log("charge", charge, 690, "WARN", "the acquirer is slow")
    return trace


def large_trace(spans: int) -> Trace:
    """Return a trace of at least that many spans: messages, each with a consumer of nine spans.

    All have different names, so that none of them repeats another one.
    """
    trace = Trace(began_unix_nano=unix_nano_ago(120))
    root = trace.span("page", "import", INTERNAL, 0, 60_000, throughline__root="page")
    while len(trace.spans) < spans:
        at = 60_000 * len(trace.spans) / spans
        item = len(trace.spans)
        send = trace.span("page", f"send item {item}", PRODUCER, at, at + 3, root)
        consumer = trace.span(
            "reserve", "reserve", CONSUMER, at + 40, at + 200, send, throughline__hop="pubsub"
        )
        for step in range(8):
            name = f"GET /shows/{item + step}"
            trace.span("reserve", name, CLIENT, at + 41 + step, at + 42 + step, consumer)
    return trace


def open_trace(page: Page, trace: Trace, query: str = "") -> Locator:
    """Open a trace, and return its waterfall."""
    page.goto(f"/traces/{trace.trace_id.hex()}{query}")
    grid = page.get_by_role("treegrid", name="Spans, by hop")
    expect(grid).to_be_visible()
    return grid


def selected_row(page: Page) -> Locator:
    """Return the selected row of the waterfall."""
    return page.locator("[role=row][aria-selected=true]")


def test_rows_show_hops_waits_and_the_critical_path(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The bars show them, and so does each row's accessible name."""
    trace = purchase("LANES-1", unix_nano_ago())
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    expect(grid.get_by_role("row")).to_have_count(len(trace.spans))
    reserve = grid.get_by_role("row", name=re.compile("^reserve, reserve, by trigger"))
    expect(reserve).to_have_attribute(
        "aria-label", re.compile("waited 180 ms, took 232 ms, on the critical path")
    )
    expect(reserve.locator(".wait")).to_be_visible()
    expect(reserve.locator(".path").first).to_be_visible()
    expect(page.get_by_text("2.29 s from click to ticketed")).to_be_visible()
    assert_accessible(page)


def test_an_exception_is_shown_with_its_stack_and_source_line(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The row names the exception, its log lines expand below, the details have the stack."""
    trace = failed_purchase()
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    charge = grid.get_by_role("row", name=re.compile("^charge, charge"))
    expect(charge).to_contain_text("HTTPError")
    charge.get_by_role("button", name="2 log lines and events of charge").click()
    expect(grid.get_by_text("the acquirer is slow")).to_be_visible()
    expect(grid.get_by_text("requests.HTTPError: 503 Server Error")).to_be_visible()
    page.get_by_role("button", name="Next error").click()
    details = page.get_by_role("complementary", name="charge")
    expect(details.get_by_text("the acquirer answered 503")).to_be_visible()
    expect(details.locator("pre", has_text="line 42, in charge")).to_be_visible()
    expect(details.get_by_role("link", name="functions/boxoffice/charge.py:42")).to_have_attribute(
        "href", f"vscode://file{ROOT}/functions/boxoffice/charge.py:42"
    )
    assert_accessible(page)


def test_the_waterfall_can_be_used_by_keyboard(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Rows are selected, collapsed and expanded by key; the address records it."""
    trace = failed_purchase()
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    grid.focus()
    page.keyboard.press("ArrowDown")
    expect(selected_row(page)).to_contain_text("buy")
    page.keyboard.press("ArrowLeft")
    expect(selected_row(page)).to_have_attribute("aria-expanded", "false")
    expect(grid.get_by_text("create orders")).to_have_count(0)
    expect(page).to_have_url(re.compile(f"collapsed={span_of(trace, 'page', 'buy').span_id.hex()}"))
    page.reload()
    expect(selected_row(page)).to_have_attribute("aria-expanded", "false")
    grid.focus()
    page.keyboard.press("ArrowRight")
    expect(grid.get_by_text("create orders")).to_be_visible()
    page.keyboard.press("]")
    expect(selected_row(page)).to_contain_text("charge")
    expect(page).to_have_url(re.compile(span_of(trace, "charge", "charge").span_id.hex()))
    page.keyboard.press("l")
    expect(grid.get_by_text("the acquirer is slow")).to_be_visible()
    expect(page).to_have_url(re.compile("opened="))
    page.reload()
    expect(grid.get_by_text("the acquirer is slow")).to_be_visible()
    grid.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="charge")).to_be_focused()
    page.keyboard.press("Escape")
    expect(grid).to_be_focused()
    expect(selected_row(page)).to_have_count(0)
    page.keyboard.press("End")
    expect(selected_row(page)).to_be_in_viewport()
    active = grid.get_attribute("aria-activedescendant")
    expect(selected_row(page)).to_have_attribute("id", active or "")


def test_going_back_cancels_a_pending_change_of_the_address(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The address is updated with a delay, in which the user may leave the view."""
    trace = purchase("BACK-1", unix_nano_ago())
    server.send(trace)
    page = new_page()
    page.clock.install()
    page.goto("/")
    page.locator(".traces tbody a").click()
    grid = page.get_by_role("treegrid", name="Spans, by hop")
    expect(grid).to_be_visible()
    page.clock.pause_at(time.time() + 60)
    grid.press("ArrowDown")
    page.clock.run_for(210)
    # Less than a frame before the address would be updated, so that nothing renders in between.
    page.go_back()
    page.clock.run_for(15)
    page.clock.resume()
    expect(page.locator(".traces tbody a")).to_be_visible()
    assert page.url.endswith("/")


def test_find_searches_names_attributes_and_log_lines(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Matches are counted and marked; Enter goes to the next, Shift+Enter to the previous."""
    trace = purchase("FIND-1", unix_nano_ago())
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    page.keyboard.press("/")
    finder = page.get_by_role("searchbox", name="Find in this trace")
    expect(finder).to_be_focused()
    page.keyboard.type("firestore/commit")
    expect(grid.locator(".row.found")).to_have_count(4)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 4")).to_be_visible()
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_text("4 of 4")).to_be_visible()
    expect(selected_row(page).locator("mark").first).to_have_text("Firestore/Commit")
    finder.fill("signature fits")
    page.keyboard.press("Enter")
    expect(grid.locator("mark", has_text="signature fits")).to_be_visible()
    page.get_by_role("button", name="Collapse all").click()
    finder.fill("gcp_pubsub")
    expect(page).to_have_url(re.compile("find=gcp_pubsub"))
    page.reload()
    # All rows are still collapsed; going to a match expands its parents.
    page.get_by_role("searchbox", name="Find in this trace").press("Enter")
    expect(grid.locator(".row.found").first).to_contain_text("messaging.system")
    finder.fill("absent text")
    expect(page.locator(".found", has_text="no match")).to_be_visible()


def test_a_drag_over_the_time_axis_zooms_in(server: ObservatoryServer, new_page: NewPage) -> None:
    """The address has the range; a double click or `0` shows the whole trace again."""
    trace = purchase("ZOOM-1", unix_nano_ago())
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    scale = page.locator(".ticks")
    box = scale.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="reset")).to_be_visible()
    expect(page).to_have_url(re.compile(r"range=58\d(\.\d+)?-116\d"))
    expect(grid.get_by_role("row", name=re.compile("^buy,")).locator(".beyond")).to_have_text("‹")
    page.reload()
    expect(page.get_by_role("button", name="reset")).to_be_visible()
    scale.dblclick()
    expect(page.get_by_role("button", name="Whole trace")).to_be_disabled()
    grid.focus()
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="reset")).to_be_visible()
    page.keyboard.press("0")
    expect(page.get_by_role("button", name="Whole trace")).to_be_disabled()


def test_clock_skew_is_reported_and_can_be_corrected(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """A notice names the service; its checkbox corrects the times and is in the address."""
    trace = purchase("SKEW-1", unix_nano_ago())
    for service, span in trace.spans:
        if service == "acquirer":
            span.start_time_unix_nano -= 412 * MS
            span.end_time_unix_nano -= 412 * MS
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    notice = page.get_by_role("region", name="Clocks")
    expect(notice).to_contain_text("The clock of acquirer is")
    expect(notice).to_contain_text("behind")
    assert_accessible(page)
    bar = grid.get_by_role("row", name=re.compile("^POST .charges, acquirer")).locator(".ran")
    before = bar.bounding_box()
    notice.get_by_label("Correct clock skew").check()
    expect(page).to_have_url(re.compile("correct_skew=1"))
    expect(notice).to_contain_text("times below are corrected")
    assert before is not None
    left = before["x"]

    def has_moved() -> bool:
        after = bar.bounding_box()
        return after is not None and after["x"] > left + 20

    eventually(has_moved, "the acquirer's bar further to the right")
    page.reload()
    expect(notice.get_by_label("Correct clock skew")).to_be_checked()


def test_missing_and_repeated_hops_are_reported(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """A notice and the waterfall show them, by comparison with recent traces of the same root."""
    server.send(*(purchase(f"GOOD-{n}", unix_nano_ago(300 + n)) for n in range(8)))
    trace = without_spans(purchase("UNUSUAL-1", unix_nano_ago()), "order paid")
    send = span_of(trace, "reserve", "send order-reserved")
    second: dict[str, Any] = {"throughline__hop": "pubsub", "throughline__context": "carried"}
    trace.span("charge", "charge", CONSUMER, 1100, 1300, send, **second)
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    notice = page.get_by_role("region", name="Unusual")
    expect(notice).to_contain_text("Compared with 8 recent traces that began the same way")
    expect(notice).to_contain_text("page order paid by listener is missing; all others have it")
    expect(notice).to_contain_text("charge by pubsub ran twice, usually once")
    missing_row = grid.get_by_role("row", name=re.compile("^Missing: order paid"))
    expect(missing_row).to_contain_text("missing")
    assert int(missing_row.get_attribute("aria-rowindex") or 0) < len(trace.spans)
    expect(grid.get_by_role("row", name=re.compile("^charge, charge")).first).to_contain_text(
        "2×, usually 1"
    )
    assert_accessible(page)
    notice.get_by_role("button", name="page order paid").click()
    expect(page.get_by_role("complementary", name="No order paid here")).to_be_visible()
    expect(missing_row).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="2 unusual").click()
    expect(notice).to_be_visible()


def test_a_denial_by_the_rules_shows_the_deciding_line(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The line is marked in an excerpt of the rules."""
    trace = Trace(began_unix_nano=unix_nano_ago())
    buy = trace.span("page", "buy", INTERNAL, 0, 80, throughline__root="page")
    attributes: dict[str, Any] = {
        "throughline.hop": "rules",
        "throughline.rules.outcome": "deny",
        "throughline.rules.decided_by": "expression",
        "throughline.rules.excerpt": "  30  allow create: if signedIn()\n> 31    && seats <= 8",
        "code.file.path": "rules/firestore.rules",
        "code.line.number": 31,
    }
    denied = trace.span(
        "firestore.rules", "create orders denied", INTERNAL, 40, 40, buy, "no", (), **attributes
    )
    server.send(trace)
    page = new_page()
    open_trace(page, trace, f"?span={denied.span_id.hex()}")
    details = page.get_by_role("complementary", name="create orders denied")
    expect(details.locator(".deciding")).to_have_text(re.compile("&& seats <= 8"))
    expect(details.get_by_text("rules/firestore.rules:31")).to_be_visible()
    assert_accessible(page)


def test_span_links_open_the_linked_trace_and_values_filter_traces(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """A sweep's link opens the order and leads back; a value leads to all traces with it."""
    order = purchase("LINK-1", unix_nano_ago())
    sweep = Trace(began_unix_nano=unix_nano_ago())
    linked = span_of(order, "reserve", "reserve")
    top = sweep.span(
        "sweep", "sweep", CONSUMER, 0, 30, links=[linked], throughline__root="schedule"
    )
    server.send(order, sweep)
    page = new_page()
    open_trace(page, sweep, f"?span={top.span_id.hex()}")
    page.get_by_role("link", name="Open trace").click()
    details = page.get_by_role("complementary", name="reserve")
    expect(details).to_be_visible()
    expect(page).to_have_url(re.compile(order.trace_id.hex()))
    back = details.get_by_role("link", name="sweep (sweep)")
    expect(back).to_have_attribute("href", re.compile(sweep.trace_id.hex()))
    value = details.get_by_role("link", name="Traces with faas.trigger = datasource")
    value.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?q=faas.trigger\+%3D\+%22datasource%22"))


def test_a_trace_can_be_exported_queried_and_compared(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The comparison panel offers a typical trace."""
    trace = failed_purchase()
    server.send(trace, *(purchase(f"GOOD-{n}", unix_nano_ago(300 + n)) for n in range(3)))
    page = new_page()
    open_trace(page, trace)
    expect(page.get_by_role("link", name="Export")).to_have_attribute(
        "href", f"/api/export?trace={trace.trace_id.hex()}"
    )
    page.get_by_role("link", name="Ask in SQL").click()
    expect(page.get_by_text("POST /charges").first).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Compare with…").click()
    panel = page.get_by_role("dialog", name="Compare with")
    typical = panel.get_by_role("button", name="A typical one")
    expect(typical).to_be_visible()
    assert_accessible(page)
    typical.click()
    expect(page).to_have_url(re.compile(f"/diff/[0-9a-f]{{32}}/{trace.trace_id.hex()}"))
    expect(page.get_by_role("treegrid", name="Steps of both traces")).to_be_visible()


def test_repeats_are_one_row_that_can_be_expanded(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """By mouse and by key; a screen reader hears how many there are and whether they are shown."""
    trace = purchase("REPEATED-1", unix_nano_ago())
    send = span_of(trace, "reserve", "send order-reserved")
    for n in range(12):
        at = 10_000 + 1_000 * n
        charge = trace.span(
            "charge", "charge again", CONSUMER, at, at + 20 + n, send, throughline__hop="pubsub"
        )
        trace.span("charge", "read the order", CLIENT, at + 1, at + 2, charge)
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    shown = len(trace.spans) - 22 + 1
    expect(grid).to_have_attribute("aria-rowcount", str(shown))
    repeats = grid.get_by_role(
        "row", name="charge again, charge: 11 more like this, 21 ms to 31 ms"
    )
    expect(repeats).to_have_attribute("aria-expanded", "false")
    assert_accessible(page)
    repeats.click()
    grid.focus()
    page.keyboard.press("Enter")
    expect(repeats).to_have_attribute("aria-expanded", "true")
    expect(grid).to_have_attribute("aria-rowcount", str(shown + 22))
    page.keyboard.press("ArrowRight")
    expect(selected_row(page)).to_have_attribute("aria-label", re.compile("^charge again, charge"))
    expect(page).to_have_url(re.compile("repeats="))
    repeats.get_by_role("button", name="Hide the repeats of charge again").click()
    expect(grid).to_have_attribute("aria-rowcount", str(shown))
    # A link to one of them shows it.
    last = trace.spans[-1][1].span_id.hex()
    open_trace(page, trace, f"?span={last}")
    expect(selected_row(page)).to_have_attribute("aria-label", re.compile("^read the order"))


@LARGE_TRACES
def test_only_visible_rows_of_a_large_trace_are_in_the_document(
    server: ObservatoryServer, new_page: NewPage, spans: int
) -> None:
    """This holds after scrolling and after moving by key."""
    trace = large_trace(spans)
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    expect(grid).to_have_attribute("aria-rowcount", str(len(trace.spans)))
    expect(page.locator(".minimap canvas")).to_be_visible()

    def row_count() -> int:
        return page.locator(".row").count()

    assert row_count() < 150
    grid.focus()
    page.keyboard.press("End")
    expect(selected_row(page)).to_be_in_viewport()
    expect(selected_row(page)).to_have_attribute("aria-rowindex", str(len(trace.spans)))
    assert row_count() < 150
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    expect(page.locator(".row:not([aria-selected=true])").first).to_be_attached()
    expect(page.locator(f"[aria-rowindex='{len(trace.spans) // 2}']")).to_be_in_viewport()
    active = grid.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_be_attached()
    assert row_count() < 150
    assert_accessible(page)


@LARGE_TRACES
def test_every_row_of_a_large_trace_can_be_scrolled_to(
    server: ObservatoryServer, new_page: NewPage, spans: int
) -> None:
    """After each turn of the mouse wheel the screen is full of rows, without gaps."""
    trace = large_trace(spans)
    server.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    expect(grid).to_have_attribute("aria-rowcount", str(len(trace.spans)))
    page.mouse.move(600, 450)
    all_rows: set[int] = set()
    row_count_max = 0
    at_end = False
    while not at_end:
        page.wait_for_function(SCREEN_IS_FULL_OF_ROWS)
        rows: list[int] = page.evaluate(ROW_INDICES)
        all_rows.update(rows)
        row_count_max = max(row_count_max, len(rows))
        scroll_y, end = page.evaluate("[scrollY, document.body.scrollHeight - innerHeight]")
        at_end = scroll_y >= end - 1
        if not at_end:
            page.mouse.wheel(0, 1_200)
            page.wait_for_function("before => scrollY > before", arg=scroll_y)
    assert all_rows == set(range(1, len(trace.spans) + 1))
    assert row_count_max < 150


# Checks every 20 px of the visible part of the list.
SCREEN_IS_FULL_OF_ROWS = """() => {
  const box = document.querySelector(".row-list").getBoundingClientRect();
  const rows = [...document.querySelectorAll(".row-list > .row")];
  const bounds = rows.map((row) => row.getBoundingClientRect());
  const first = Math.max(box.top, 0), last = Math.min(box.bottom, innerHeight);
  for (let y = first + 1; y < last; y += 20)
    if (!bounds.some((row) => row.top <= y && y <= row.bottom)) return false;
  return true;
}"""
ROW_INDICES = """() => [...document.querySelectorAll(".row-list > .row")]
  .map((row) => Number(row.getAttribute("aria-rowindex")))"""


def test_late_spans_do_not_move_the_selected_row(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Rows are added above it, and it stays where it is on the screen."""
    trace = purchase("LATE-1")
    server.send(trace)
    page = new_page(height=500)
    issue = span_of(trace, "issue", "issue")
    open_trace(page, trace, f"?span={issue.span_id.hex()}")
    expect(page.get_by_text("still arriving")).to_be_visible()
    expect(selected_row(page)).to_be_in_viewport()
    before = selected_row(page).bounding_box()
    later = Trace(trace_id=trace.trace_id, began_unix_nano=trace.began_unix_nano)
    reserve = span_of(trace, "reserve", "reserve")
    for step in range(9):
        later.span("reserve", f"late step {step}", INTERNAL, 330 + step, 331 + step, reserve)
    server.send(later)
    expect(page.get_by_text("33 spans")).to_be_visible()
    expect(selected_row(page)).to_contain_text("issue")
    after = selected_row(page).bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=2)
    expect(page.get_by_text("still arriving")).to_have_count(0)


def test_a_trace_appears_when_its_first_span_arrives(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Until then a message says that none has arrived; an invalid trace id has another."""
    trace = purchase("SOON-1", unix_nano_ago())
    page = new_page()
    page.goto(f"/traces/{trace.trace_id.hex()}")
    expect(page.get_by_text("No span of this trace has arrived")).to_be_visible()
    assert_accessible(page)
    server.send(trace)
    expect(page.get_by_role("treegrid")).to_be_visible()
    page.goto("/traces/elsewhere")
    expect(page.get_by_text("Not a valid trace id")).to_be_visible()
    assert_accessible(page)


def test_hostile_span_data_is_shown_as_text(server: ObservatoryServer, new_page: NewPage) -> None:
    """Names, attributes, events and log lines have markup in them, or are empty or very long."""
    trace = Trace(began_unix_nano=unix_nano_ago())
    attributes: dict[str, Any] = {
        EVIL: EVIL,
        "long": "x" * 5_000,
        "__proto__": "polluted",
        "url": EVIL,
    }
    top = trace.span(EVIL, EVIL * 3, INTERNAL, 0, 100, error=EVIL, **attributes)
    trace.span("b" * 300, "", CLIENT, -5_000, -4_000, top)
    trace.span("negative", "ends before it begins", INTERNAL, 60, 20, top)
    top.events.add(
        name="exception",
        time_unix_nano=trace.began_unix_nano,
        attributes=key_values({"exception.type": EVIL, "exception.stacktrace": EVIL * 20}),
    )
    trace.log(EVIL, top, 50, "ERROR", EVIL * 4)
    server.send(trace)
    page = new_page(width=360)
    open_trace(page, trace, f"?lines=1&find=img&span={top.span_id.hex()}")
    expect(page.get_by_role("complementary")).to_contain_text("polluted")
    assert page.locator("img").count() == 0
    assert "taken" not in page.title()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)


@pytest.mark.parametrize("width", [360, pytest.param(1440, marks=pytest.mark.long)])
def test_the_trace_view_is_accessible_and_fits_the_screen(
    server: ObservatoryServer, new_page: NewPage, width: int
) -> None:
    """This holds with and without a selected span."""
    trace = without_spans(failed_purchase(), "send order-reserved")  # makes charge an orphan
    server.send(trace)
    page = new_page(width=width)
    open_trace(page, trace, "?lines=1")
    expect(page.get_by_text("1 orphan")).to_be_visible()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    open_trace(page, trace, f"?span={span_of(trace, 'charge', 'charge').span_id.hex()}")
    expect(page.get_by_role("complementary", name="charge")).to_be_in_viewport()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
