"""One trace in the explorer, in a real browser, over an Observatory of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from playwright.sync_api import Locator, Page, expect

from tests.journey.observatory_server import ROOT, OwnObservatory, accessible
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


def long_ago(seconds: float = 60) -> int:
    return time.time_ns() - round(seconds * 1000) * MS


def of(trace: Trace, service: str, name: str) -> Span:
    return next(span for of, span in trace.spans if (of, span.name) == (service, name))


def without(trace: Trace, *names: str) -> Trace:
    trace.spans = [(service, span) for service, span in trace.spans if span.name not in names]
    return trace


def failing() -> Trace:
    """A purchase whose charge throws, and logs it."""
    trace = purchase("FAIL-1", long_ago())
    charge = of(trace, "charge", "charge")
    charge.status.CopyFrom(Status(code=ERROR, message="the acquirer answered 503"))
    thrown = {
        "exception.type": "requests.HTTPError",
        "exception.message": "503 Server Error",
        "exception.stacktrace": STACK,
    }
    where = {"code.file.path": "functions/boxoffice/charge.py", "code.line.number": 42}
    charge.attributes.extend(key_values(where))
    charge.events.add(
        name="exception",
        time_unix_nano=trace.began_unix_nano + 840 * MS,
        attributes=key_values(thrown),
    )
    trace.log("charge", charge, 690, "WARN", "the acquirer is slow")
    return trace


def large(spans: int) -> Trace:
    """A trace of many legs."""
    trace = Trace(began_unix_nano=long_ago(120))
    root = trace.span("page", "import", INTERNAL, 0, 60_000, throughline__root="page")
    while len(trace.spans) < spans:
        at = 60_000 * len(trace.spans) / spans
        send = trace.span("page", "send item", PRODUCER, at, at + 3, root)
        head = trace.span(
            "reserve", "reserve", CONSUMER, at + 40, at + 200, send, throughline__hop="pubsub"
        )
        for step in range(8):
            trace.span("reserve", "GET /shows", CLIENT, at + 41 + step, at + 42 + step, head)
    return trace


def open_trace(page: Page, trace: Trace, query: str = "") -> Locator:
    """Open a trace, and return its waterfall."""
    page.goto(f"/traces/{trace.trace_id.hex()}{query}")
    grid = page.get_by_role("treegrid", name="Spans, by hop")
    expect(grid).to_be_visible()
    return grid


def chosen(page: Page) -> Locator:
    return page.locator("[role=row][aria-selected=true]")


def test_hops_are_lanes_with_their_waits_and_the_critical_path(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Each row says who, when, how long it waited and whether the end waited for it."""
    trace = purchase("LANES-1", long_ago())
    running.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    expect(grid.get_by_role("row")).to_have_count(len(trace.spans))
    reserve = grid.get_by_role("row", name=re.compile("^reserve, reserve, by trigger"))
    expect(reserve).to_have_attribute(
        "aria-label", re.compile("waited 180 ms, took 232 ms, on the critical path")
    )
    expect(reserve.locator(".wait")).to_be_visible()
    expect(reserve.locator(".path").first).to_be_visible()
    expect(page.get_by_text("2.33 s from click to ticketed")).to_be_visible()
    accessible(page)


def test_an_exception_is_told_in_place_with_its_stack(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """The row names it, its lines open below, the details have the stack and the source line."""
    trace = failing()
    running.send(trace)
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
    accessible(page)


def test_the_keyboard_is_enough(running: OwnObservatory, new_page: NewPage) -> None:
    """Rows are gone through, collapsed and opened without a pointer, and the address follows."""
    trace = failing()
    running.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    grid.focus()
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_contain_text("buy")
    page.keyboard.press("ArrowLeft")
    expect(chosen(page)).to_have_attribute("aria-expanded", "false")
    expect(grid.get_by_text("create orders")).to_have_count(0)
    expect(page).to_have_url(re.compile(f"collapsed={of(trace, 'page', 'buy').span_id.hex()}"))
    page.reload()
    expect(chosen(page)).to_have_attribute("aria-expanded", "false")
    grid.focus()
    page.keyboard.press("ArrowRight")
    expect(grid.get_by_text("create orders")).to_be_visible()
    page.keyboard.press("]")
    expect(chosen(page)).to_contain_text("charge")
    expect(page).to_have_url(re.compile(of(trace, "charge", "charge").span_id.hex()))
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
    expect(chosen(page)).to_have_count(0)
    page.keyboard.press("End")
    expect(chosen(page)).to_be_in_viewport()
    active = grid.get_attribute("aria-activedescendant")
    expect(chosen(page)).to_have_attribute("id", active or "")


def test_back_goes_back_whatever_the_address_was_about_to_say(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """The address follows a moment later; by then one may be elsewhere, and stays there."""
    trace = purchase("BACK-1", long_ago())
    running.send(trace)
    page = new_page()
    page.clock.install()
    page.goto("/")
    page.locator(".traces tbody a").click()
    grid = page.get_by_role("treegrid", name="Spans, by hop")
    expect(grid).to_be_visible()
    page.clock.pause_at(time.time() + 60)
    grid.press("ArrowDown")
    page.clock.run_for(210)
    # Less than a frame before the address would follow: nothing is painted in between.
    page.go_back()
    page.clock.run_for(15)
    page.clock.resume()
    expect(page.locator(".traces tbody a")).to_be_visible()
    assert page.url.endswith("/")


def test_words_are_found_wherever_they_are(running: OwnObservatory, new_page: NewPage) -> None:
    """Names, attributes and log lines are searched; matches are counted, marked and visited."""
    trace = purchase("FIND-1", long_ago())
    running.send(trace)
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
    expect(chosen(page).locator("mark").first).to_have_text("Firestore/Commit")
    finder.fill("signature fits")
    page.keyboard.press("Enter")
    expect(grid.locator("mark", has_text="signature fits")).to_be_visible()
    page.get_by_role("button", name="Collapse all").click()
    finder.fill("gcp_pubsub")
    expect(page).to_have_url(re.compile("find=gcp_pubsub"))
    page.reload()
    # What was collapsed still is; going to a match opens it.
    page.get_by_role("searchbox", name="Find in this trace").press("Enter")
    expect(grid.locator(".row.found").first).to_contain_text("messaging.system")
    finder.fill("nothing of the kind")
    expect(page.locator(".found", has_text="no match")).to_be_visible()


def test_a_stretch_of_time_is_seen_from_near(running: OwnObservatory, new_page: NewPage) -> None:
    """A drag over the scale zooms in, the address keeps it, a double click shows all again."""
    trace = purchase("ZOOM-1", long_ago())
    running.send(trace)
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


def test_a_clock_that_is_off_is_said_and_put_right(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """The evidence is given; times are corrected when asked for, which the address says."""
    trace = purchase("SKEW-1", long_ago())
    for service, span in trace.spans:
        if service == "acquirer":
            span.start_time_unix_nano -= 412 * MS
            span.end_time_unix_nano -= 412 * MS
    running.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    notice = page.get_by_role("region", name="Clocks")
    expect(notice).to_contain_text("The clock of acquirer is")
    expect(notice).to_contain_text("behind")
    accessible(page)
    bar = grid.get_by_role("row", name=re.compile("^POST .charges, acquirer")).locator(".ran")
    before = bar.bounding_box()
    notice.get_by_label("Correct clock skew").check()
    expect(page).to_have_url(re.compile("correct_skew=1"))
    expect(notice).to_contain_text("times below are corrected")
    after = bar.bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] > before["x"] + 20
    page.reload()
    expect(notice.get_by_label("Correct clock skew")).to_be_checked()


def test_a_missing_hop_is_pointed_out_in_words_and_in_the_waterfall(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Beside others that began the same way; what is there too often is said too."""
    running.send(*(purchase(f"GOOD-{n}", long_ago(300 + n)) for n in range(8)))
    odd = without(purchase("ODD-1", long_ago()), "order paid")
    send = of(odd, "reserve", "send order-reserved")
    again: dict[str, Any] = {"throughline__hop": "pubsub", "throughline__context": "carried"}
    odd.span("charge", "charge", CONSUMER, 1100, 1300, send, **again)
    running.send(odd)
    page = new_page()
    grid = open_trace(page, odd)
    shape = page.get_by_role("region", name="Unusual")
    expect(shape).to_contain_text("Compared with 8 recent traces that began the same way")
    expect(shape).to_contain_text("page order paid by listener is missing; all others have it")
    expect(shape).to_contain_text("charge by pubsub ran twice, usually once")
    gap = grid.get_by_role("row", name=re.compile("^Missing: order paid"))
    expect(gap).to_contain_text("missing")
    assert int(gap.get_attribute("aria-rowindex") or 0) < len(odd.spans)
    expect(grid.get_by_role("row", name=re.compile("^charge, charge")).first).to_contain_text(
        "2×, usually 1"
    )
    accessible(page)
    shape.get_by_role("button", name="page order paid").click()
    expect(page.get_by_role("complementary", name="No order paid here")).to_be_visible()
    expect(gap).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="2 unusual").click()
    expect(shape).to_be_visible()


def test_a_decision_of_the_rules_shows_the_line_that_said_no(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """The source around it is there, and the deciding line is marked."""
    trace = Trace(began_unix_nano=long_ago())
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
    running.send(trace)
    page = new_page()
    open_trace(page, trace, f"?span={denied.span_id.hex()}")
    details = page.get_by_role("complementary", name="create orders denied")
    expect(details.locator(".deciding")).to_have_text(re.compile("&& seats <= 8"))
    expect(details.get_by_text("rules/firestore.rules:31")).to_be_visible()
    accessible(page)


def test_links_open_the_other_trace_and_attributes_the_ones_alike(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """From a sweep to the order it touched; from a value to every trace that has it."""
    order = purchase("LINK-1", long_ago())
    sweep = Trace(began_unix_nano=long_ago())
    touched = of(order, "reserve", "reserve")
    top = sweep.span(
        "sweep", "sweep", CONSUMER, 0, 30, links=[touched], throughline__root="schedule"
    )
    running.send(order, sweep)
    page = new_page()
    open_trace(page, sweep, f"?span={top.span_id.hex()}")
    page.get_by_role("link", name="Open trace").click()
    details = page.get_by_role("complementary", name="reserve")
    expect(details).to_be_visible()
    expect(page).to_have_url(re.compile(order.trace_id.hex()))
    value = details.get_by_role("link", name="Traces with faas.trigger = datasource")
    value.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?q=faas.trigger\+%3D\+%22datasource%22"))


def test_a_trace_can_be_taken_away_and_compared(running: OwnObservatory, new_page: NewPage) -> None:
    """The export names this trace; a usual one to compare with is offered."""
    trace = failing()
    running.send(trace, *(purchase(f"GOOD-{n}", long_ago(300 + n)) for n in range(3)))
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
    usual = panel.get_by_role("button", name="A typical one")
    expect(usual).to_be_visible()
    accessible(page)
    usual.click()
    expect(page).to_have_url(re.compile(f"/diff/[0-9a-f]{{32}}/{trace.trace_id.hex()}"))
    expect(page.get_by_role("treegrid", name="Steps of both traces")).to_be_visible()


def test_thousands_of_spans_are_drawn_where_one_looks(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Only what can be seen is in the document, wherever one scrolls or goes by key."""
    trace = large(5_000)
    running.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    expect(grid).to_have_attribute("aria-rowcount", str(len(trace.spans)))
    expect(page.locator(".minimap canvas")).to_be_visible()

    def drawn() -> int:
        return page.locator(".row").count()

    assert drawn() < 150
    grid.focus()
    page.keyboard.press("End")
    expect(chosen(page)).to_be_in_viewport()
    expect(chosen(page)).to_have_attribute("aria-rowindex", str(len(trace.spans)))
    assert drawn() < 150
    page.evaluate("scrollTo(0, 70_000)")
    expect(page.locator(".row:not([aria-selected=true])").first).to_be_attached()
    expect(page.locator("[aria-rowindex='2500']")).to_be_in_viewport()
    active = grid.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_be_attached()
    assert drawn() < 150
    accessible(page)


def test_the_wheel_reaches_every_one_of_thousands_of_spans(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Wherever it stops, each place on the screen that is a row's has that row."""
    trace = large(5_000)
    running.send(trace)
    page = new_page()
    grid = open_trace(page, trace)
    expect(grid).to_have_attribute("aria-rowcount", str(len(trace.spans)))
    page.mouse.move(600, 450)
    seen: set[int] = set()
    most = 0
    at_end = False
    while not at_end:
        page.wait_for_function(ROWS_ARE_DRAWN)
        drawn: list[int] = page.evaluate(ROWS_DRAWN)
        seen.update(drawn)
        most = max(most, len(drawn))
        before, end = page.evaluate("[scrollY, document.body.scrollHeight - innerHeight]")
        at_end = before >= end - 1
        if not at_end:
            page.mouse.wheel(0, 1_200)
            page.wait_for_function("before => scrollY > before", arg=before)
    assert seen == set(range(1, len(trace.spans) + 1))
    assert most < 150


# Everything between what sticks at the top and the list's end, as far as that is on the screen.
ROWS_ARE_DRAWN = """() => {
  const box = document.querySelector(".row-list").getBoundingClientRect();
  const rows = [...document.querySelectorAll(".row-list > .row")];
  const tops = rows.map((row) => row.getBoundingClientRect());
  const first = Math.max(box.top, 0), last = Math.min(box.bottom, innerHeight);
  for (let y = first + 1; y < last; y += 20)
    if (!tops.some((top) => top.top <= y && y <= top.bottom)) return false;
  return true;
}"""
ROWS_DRAWN = """() => [...document.querySelectorAll(".row-list > .row")]
  .map((row) => Number(row.getAttribute("aria-rowindex")))"""


def test_what_arrives_later_moves_nothing_that_is_looked_at(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """The trace grows above the chosen row, which stays where it is on the screen."""
    trace = purchase("LATE-1")
    running.send(trace)
    page = new_page(height=500)
    issue = of(trace, "issue", "issue")
    open_trace(page, trace, f"?span={issue.span_id.hex()}")
    expect(page.get_by_text("still arriving")).to_be_visible()
    expect(chosen(page)).to_be_in_viewport()
    before = chosen(page).bounding_box()
    later = Trace(trace_id=trace.trace_id, began_unix_nano=trace.began_unix_nano)
    reserve = of(trace, "reserve", "reserve")
    for step in range(9):
        later.span("reserve", f"late step {step}", INTERNAL, 330 + step, 331 + step, reserve)
    running.send(later)
    expect(page.get_by_text("33 spans")).to_be_visible()
    expect(chosen(page)).to_contain_text("issue")
    after = chosen(page).bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=2)
    expect(page.get_by_text("still arriving")).to_have_count(0)


def test_a_trace_that_is_not_there_yet_appears_when_it_is(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Until then the page says what it waits for; what is no trace id is refused."""
    trace = purchase("SOON-1", long_ago())
    page = new_page()
    page.goto(f"/traces/{trace.trace_id.hex()}")
    expect(page.get_by_text("No span of this trace has arrived")).to_be_visible()
    accessible(page)
    running.send(trace)
    expect(page.get_by_role("treegrid")).to_be_visible()
    page.goto("/traces/elsewhere")
    expect(page.get_by_text("Not a valid trace id")).to_be_visible()
    accessible(page)


def test_what_spans_say_is_text_whatever_it_is(running: OwnObservatory, new_page: NewPage) -> None:
    """Names, attributes, events and logs may hold markup, nothing or far too much."""
    trace = Trace(began_unix_nano=long_ago())
    more: dict[str, Any] = {EVIL: EVIL, "long": "x" * 5_000, "__proto__": "polluted", "url": EVIL}
    top = trace.span(EVIL, EVIL * 3, INTERNAL, 0, 100, error=EVIL, **more)
    trace.span("b" * 300, "", CLIENT, -5_000, -4_000, top)
    trace.span("negative", "ends before it begins", INTERNAL, 60, 20, top)
    top.events.add(
        name="exception",
        time_unix_nano=trace.began_unix_nano,
        attributes=key_values({"exception.type": EVIL, "exception.stacktrace": EVIL * 20}),
    )
    trace.log(EVIL, top, 50, "ERROR", EVIL * 4)
    running.send(trace)
    page = new_page(width=360)
    open_trace(page, trace, f"?lines=1&find=img&span={top.span_id.hex()}")
    expect(page.get_by_role("complementary")).to_contain_text("polluted")
    assert page.locator("img").count() == 0
    assert "taken" not in page.title()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    accessible(page)


@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_narrow_and_wide(running: OwnObservatory, new_page: NewPage, width: int) -> None:
    """Nothing scrolls sideways, and axe finds nothing, with and without a chosen span."""
    trace = without(failing(), "send order-reserved")  # an orphan, too
    running.send(trace)
    page = new_page(width=width)
    open_trace(page, trace, "?lines=1")
    expect(page.get_by_text("1 orphan")).to_be_visible()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    open_trace(page, trace, f"?span={of(trace, 'charge', 'charge').span_id.hex()}")
    expect(page.get_by_role("complementary", name="charge")).to_be_in_viewport()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
