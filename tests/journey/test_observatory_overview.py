"""The explorer's overview, in a real browser, over an Observatory of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.journey.observatory_server import OwnObservatory, accessible
from tests.journey.purchases import crowd, purchase
from tests.unit.observatory.telemetry import MS

NewPage = Callable[..., Page]

ODD = 14
EVERYBODY = 120


def lines(page: Page) -> Locator:
    """The lines of the list of traces."""
    return page.locator(".traces tbody tr")


def query(page: Page) -> dict[str, list[str]]:
    """The address's parameters."""
    return parse_qs(urlsplit(page.url).query)


def box_the_slow(page: Page, mouse: bool = True) -> None:
    """Draw a box over everything that took longer than about 3 s, as a hand would."""
    plot = page.locator(".plot")
    bounds = plot.bounding_box()
    floor = page.locator(".axes text").get_by_text("3 s", exact=True).bounding_box()
    assert bounds is not None
    assert floor is not None
    left, right = bounds["x"] + 60, bounds["x"] + bounds["width"] - 12
    top, bottom = bounds["y"] + 8, floor["y"] + floor["height"] / 2
    if mouse:
        page.mouse.move(left, bottom)
        page.mouse.down()
        page.mouse.move((left + right) / 2, (top + bottom) / 2, steps=3)
        page.mouse.move(right, top, steps=3)
        page.mouse.up()
        return
    session = page.context.new_cdp_session(page)
    for kind, x, y in (
        ("touchStart", left, bottom),
        ("touchMove", left + 40, bottom),
        ("touchMove", right, top),
        ("touchEnd", None, None),
    ):
        points = [] if x is None else [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def open_crowd(running: OwnObservatory, page: Page) -> None:
    """Show the overview of many purchases, some of which are odd in one way."""
    running.send(*crowd(EVERYBODY, odd=ODD))
    page.goto("/")
    expect(lines(page).first).to_be_visible()


def test_what_was_sent_is_counted_drawn_and_listed(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Figures, cells and lines speak of the same traces."""
    page = new_page()
    open_crowd(running, page)
    expect(page.locator(".figures div").first).to_contain_text(str(EVERYBODY))
    drawn = page.locator(".plot [data-traces]").evaluate_all(
        "cells => cells.reduce((sum, cell) => sum + Number(cell.dataset.traces), 0)"
    )
    assert drawn == EVERYBODY
    expect(page.get_by_text(f"50 of {EVERYBODY} traces")).to_be_visible()
    accessible(page)


def test_a_box_is_told_apart_from_the_rest(running: OwnObservatory, new_page: NewPage) -> None:
    """What the slow ones have in common is named, and the address brings it all back."""
    page = new_page()
    open_crowd(running, page)
    box_the_slow(page)
    ferry = page.locator('.value-bars[data-filter*="night-ferry"]')
    expect(ferry.locator("b")).to_contain_text("100 %")
    expect(page.locator(".sentence")).to_contain_text(str(ODD))
    expect(lines(page)).to_have_count(ODD)
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    accessible(page)

    sentence = page.locator(".sentence").inner_text()
    other = new_page()
    other.goto(page.url)
    expect(other.locator(".sentence")).to_have_text(sentence)
    expect(other.locator(".plot .box")).to_be_visible()
    expect(lines(other)).to_have_count(ODD)


def test_a_finger_draws_a_box_too(running: OwnObservatory, new_page: NewPage) -> None:
    """At a phone's width, where nothing hangs over the edge."""
    page = new_page(width=360, height=780, touch=True)
    open_crowd(running, page)
    page.locator(".heatmap").scroll_into_view_if_needed()
    box_the_slow(page, mouse=False)
    expect(page.locator(".sentence")).to_contain_text(str(ODD))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)


def test_a_bar_filters(running: OwnObservatory, new_page: NewPage) -> None:
    """One click: the filter is in the box, in the address, and the list obeys; with Shift its
    opposite."""
    page = new_page()
    open_crowd(running, page)
    page.get_by_role("button", name=re.compile("The slowest 5 %")).click()
    bars = page.locator('.value-bars[data-filter*="night-ferry"]')
    filter_ = bars.get_attribute("data-filter")
    bars.click()
    expect(page.get_by_role("combobox")).to_have_value(filter_ or "")
    assert query(page)["q"] == [filter_]
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_role("heading", name="Traces", exact=True)).to_be_visible()
    found = running.http.get("/api/traces", params={"q": filter_}).json()["total"]
    assert ODD <= found < EVERYBODY
    expect(page.get_by_text(re.compile(rf"of {found} traces"))).to_be_visible()
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator(".figures div").first).to_contain_text(str(EVERYBODY))
    page.get_by_role("button", name=re.compile("The slowest 5 %")).click()
    bars.click(modifiers=["Shift"])
    expect(page.get_by_role("combobox")).to_have_value(f"not ({filter_})")


def test_a_filter_is_compared_with_all_that_it_leaves_out(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """The filter becomes the part; the rest is everything else."""
    page = new_page()
    running.send(*crowd(60, odd=8))
    page.goto('/?q=boxoffice.show.id+%3D+"night-ferry"')
    page.get_by_role("button", name=re.compile("^This filter")).click()
    expect(page.get_by_text("with the filter")).to_be_visible()
    assert query(page)["in"] == ['boxoffice.show.id = "night-ferry"']
    assert "q" not in query(page)


def test_the_keyboard_draws_compares_and_clears(running: OwnObservatory, new_page: NewPage) -> None:
    """Arrows, Shift with arrows, Enter, Escape; and what one is at is said."""
    page = new_page()
    running.send(*crowd(40))
    page.goto("/")
    plot = page.get_by_role("application")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".heatmap [aria-live]")).to_contain_text("trace")
    page.keyboard.press("End")
    for key in ("Shift+Home", "Shift+PageDown", "Shift+PageUp", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".attributes, .stands-out .sub").first).to_be_visible()
    assert "in_from" in query(page)
    page.keyboard.press("Escape")
    expect(page.get_by_text("The slowest 5 %")).to_be_visible()
    assert query(page) == {}


def test_a_lone_cell_opens_its_trace(running: OwnObservatory, new_page: NewPage) -> None:
    """Where there is one trace, there is nothing to compare."""
    page = new_page()
    trace = purchase()
    running.send(trace)
    page.goto("/")
    page.locator('.plot [data-traces="1"] rect').first.click(force=True)
    expect(page).to_have_url(re.compile(f"/traces/{trace.trace_id.hex()}"))


def test_the_table_says_what_the_picture_shows(running: OwnObservatory, new_page: NewPage) -> None:
    """All the counts, and a way to compare from there."""
    page = new_page()
    running.send(*crowd(30))
    page.goto("/")
    page.get_by_role("button", name="Show as a table").click()
    expect(page.locator(".table-scroll")).to_be_visible()
    counts = page.locator(".table-scroll tbody td:nth-child(2)").all_inner_texts()
    assert sum(map(int, counts)) == 30
    accessible(page)
    page.reload()  # the address says so too
    page.get_by_role("button", name=re.compile("^Compare the traces from")).first.click()
    expect(page.get_by_role("heading", name="Traces in the box")).to_be_visible()


def test_new_traces_appear_unless_held_still(running: OwnObservatory, new_page: NewPage) -> None:
    """Live without reloading; `p` holds it, and lets it go on."""
    page = new_page()
    running.send(purchase("first"))
    page.goto("/")
    expect(lines(page)).to_have_count(1)
    running.send(purchase("second"))
    expect(lines(page)).to_have_count(2)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    assert {"from", "to"} <= query(page).keys()
    running.send(purchase("third", time.time_ns() + 2_000 * MS))
    page.reload()
    expect(lines(page)).to_have_count(2)
    page.keyboard.press("p")
    expect(lines(page)).to_have_count(3)


def test_two_chosen_traces_are_compared(running: OwnObservatory, new_page: NewPage) -> None:
    """Their ids are the address, the one chosen first on the left."""
    page = new_page()
    old, new = purchase(began_unix_nano=time.time_ns() - 5_000 * MS), purchase()
    running.send(old, new)
    page.goto("/")
    lines(page).nth(1).get_by_role("checkbox").check()
    expect(page.get_by_text("Select another to compare it with.")).to_be_visible()
    lines(page).first.locator("a").focus()
    page.keyboard.press("x")
    accessible(page)
    page.get_by_role("button", name="Compare the two traces").click()
    expect(page).to_have_url(re.compile(f"/diff/{old.trace_id.hex()}/{new.trace_id.hex()}"))


def test_the_list_is_sorted_and_goes_on(running: OwnObservatory, new_page: NewPage) -> None:
    """By duration, every trace once, page after page; arrows go through it."""
    page = new_page()
    open_crowd(running, page)
    page.get_by_role("button", name="Duration").click()
    expect(page.locator('th[aria-sort="descending"]')).to_contain_text("Duration")
    page.get_by_role("button", name="Show more").click()
    expect(lines(page)).to_have_count(100)
    page.get_by_role("button", name="Show more").click()
    expect(lines(page)).to_have_count(EVERYBODY)
    ids = [each.get_attribute("data-trace-id") for each in page.locator("[data-trace-id]").all()]
    assert len(set(ids)) == EVERYBODY
    sorted_ids = running.http.get(
        "/api/traces", params={"sort": "duration", "order": "desc", "limit": 500}
    ).json()["traces"]
    assert ids == [trace["trace_id"] for trace in sorted_ids]
    page.locator("[data-trace-id]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/traces/{ids[1]}"))


def test_a_figure_leads_to_the_traces_behind_it(running: OwnObservatory, new_page: NewPage) -> None:
    """Errors and orphans are one click away."""
    page = new_page()
    running.send(purchase(), purchase(fail="charge"), purchase(forget="charge"))
    page.goto("/")
    page.get_by_title("Show the traces that have orphans").click()
    expect(lines(page)).to_have_count(1)
    expect(lines(page).first).to_contain_text("1 orphan")
    page.go_back()
    expect(lines(page)).to_have_count(3)
    page.get_by_title("Show the traces that lost the context").click()
    expect(lines(page)).to_have_count(1)
    page.go_back()
    expect(lines(page)).to_have_count(3)
    page.get_by_title("Show the 1 trace with errors").click()
    expect(lines(page)).to_have_count(1)
    assert query(page)["q"] == ["error = true"]


def test_it_says_what_to_do_when_there_is_nothing(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """Nothing sent, nothing in this time, nothing that fits: each has a way on."""
    page = new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    accessible(page)
    running.send(purchase(began_unix_nano=time.time_ns() - 3 * 3_600_000 * MS))
    expect(page.get_by_role("heading", name="No traces in this time range")).to_be_visible()
    page.get_by_role("button", name="Show all time").click()
    expect(lines(page)).to_have_count(1)
    page.get_by_role("combobox").fill("nobody-has-this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No trace matches the filter")).to_be_visible()
    page.get_by_role("button", name="Clear the filter").last.click()
    expect(lines(page)).to_have_count(1)
