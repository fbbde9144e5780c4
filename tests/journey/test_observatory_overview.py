"""The explorer's overview in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.journey.observatory_server import ObservatoryServer, assert_accessible
from tests.journey.purchases import many_purchases, purchase
from tests.unit.observatory.telemetry import MS

NewPage = Callable[..., Page]

SLOW = 14
TOTAL = 120


def lines(page: Page) -> Locator:
    """Return the lines of the list of traces."""
    return page.locator(".traces tbody tr")


def query(page: Page) -> dict[str, list[str]]:
    """Return the query parameters of the page's address."""
    return parse_qs(urlsplit(page.url).query)


def select_slow_traces(page: Page, mouse: bool = True) -> None:
    """Draw a box over all cells above about 3 s, with the mouse or else by touch."""
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


def open_overview(server: ObservatoryServer, page: Page) -> None:
    """Open the overview of TOTAL purchases, of which SLOW are slow for the same reason."""
    server.send(*many_purchases(TOTAL, slow=SLOW))
    page.goto("/")
    expect(lines(page).first).to_be_visible()


def test_figures_heatmap_and_list_show_the_same_traces(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """They show all traces that were sent."""
    page = new_page()
    open_overview(server, page)
    expect(page.locator(".figures div").first).to_contain_text(str(TOTAL))
    drawn = page.locator(".plot [data-traces]").evaluate_all(
        "cells => cells.reduce((sum, cell) => sum + Number(cell.dataset.traces), 0)"
    )
    assert drawn == TOTAL
    expect(page.get_by_text(f"50 of {TOTAL} traces")).to_be_visible()
    assert_accessible(page)


def test_a_box_is_compared_with_the_other_traces(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The comparison names what the slow traces have in common; the address restores it."""
    page = new_page()
    open_overview(server, page)
    select_slow_traces(page)
    ferry = page.locator('.value-bars[data-filter*="night-ferry"]')
    expect(ferry.locator("b")).to_contain_text("100 %")
    expect(page.locator(".sentence")).to_contain_text(str(SLOW))
    expect(lines(page)).to_have_count(SLOW)
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    assert_accessible(page)

    sentence = page.locator(".sentence").inner_text()
    other = new_page()
    other.goto(page.url)
    expect(other.locator(".sentence")).to_have_text(sentence)
    expect(other.locator(".plot .box")).to_be_visible()
    expect(lines(other)).to_have_count(SLOW)


def test_a_box_can_be_drawn_by_touch(server: ObservatoryServer, new_page: NewPage) -> None:
    """The page is as narrow as a phone's and does not scroll sideways."""
    page = new_page(width=360, height=780, touch=True)
    open_overview(server, page)
    page.locator(".heatmap").scroll_into_view_if_needed()
    select_slow_traces(page, mouse=False)
    expect(page.locator(".sentence")).to_contain_text(str(SLOW))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)


def test_a_click_on_a_bar_filters_by_its_value(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The filter is in the filter box, in the address and applied; Shift+click negates it."""
    page = new_page()
    open_overview(server, page)
    page.get_by_role("button", name=re.compile("The slowest 5 %")).click()
    bars = page.locator('.value-bars[data-filter*="night-ferry"]')
    filter_ = bars.get_attribute("data-filter")
    bars.click()
    expect(page.get_by_role("combobox")).to_have_value(filter_ or "")
    assert query(page)["q"] == [filter_]
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_role("heading", name="Traces", exact=True)).to_be_visible()
    total = server.http.get("/api/traces", params={"q": filter_}).json()["total"]
    assert SLOW <= total < TOTAL
    expect(page.get_by_text(re.compile(rf"of {total} traces"))).to_be_visible()
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator(".figures div").first).to_contain_text(str(TOTAL))
    page.get_by_role("button", name=re.compile("The slowest 5 %")).click()
    bars.click(modifiers=["Shift"])
    expect(page.get_by_role("combobox")).to_have_value(f"not ({filter_})")


def test_a_filter_can_be_compared_with_the_other_traces(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The filter moves from `q` to `in`, which defines the subset."""
    page = new_page()
    server.send(*many_purchases(60, slow=8))
    page.goto('/?q=boxoffice.show.id+%3D+"night-ferry"')
    page.get_by_role("button", name=re.compile("^This filter")).click()
    expect(page.get_by_text("with the filter")).to_be_visible()
    assert query(page)["in"] == ['boxoffice.show.id = "night-ferry"']
    assert "q" not in query(page)


def test_a_box_can_be_drawn_compared_and_cleared_by_keyboard(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Arrow keys, Shift with them, Enter, Escape; a live region announces the current cell."""
    page = new_page()
    server.send(*many_purchases(40))
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


def test_a_cell_with_one_trace_opens_it(server: ObservatoryServer, new_page: NewPage) -> None:
    """A single trace cannot be compared with others by attribute."""
    page = new_page()
    trace = purchase()
    server.send(trace)
    page.goto("/")
    page.locator('.plot [data-traces="1"] rect').first.click(force=True)
    expect(page).to_have_url(re.compile(f"/traces/{trace.trace_id.hex()}"))


def test_the_table_has_the_counts_of_the_heatmap(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """A button in each row compares its traces with the others."""
    page = new_page()
    server.send(*many_purchases(30))
    page.goto("/")
    page.get_by_role("button", name="Show as a table").click()
    expect(page.locator(".table-scroll")).to_be_visible()
    counts = page.locator(".table-scroll tbody td:nth-child(2)").all_inner_texts()
    assert sum(map(int, counts)) == 30
    assert_accessible(page)
    page.reload()  # the address says so too
    page.get_by_role("button", name=re.compile("^Compare the traces from")).first.click()
    expect(page.get_by_role("heading", name="Traces in the box")).to_be_visible()


def test_new_traces_appear_unless_paused(server: ObservatoryServer, new_page: NewPage) -> None:
    """They appear without a reload; `p` pauses and resumes."""
    page = new_page()
    server.send(purchase("first"))
    page.goto("/")
    expect(lines(page)).to_have_count(1)
    server.send(purchase("second"))
    expect(lines(page)).to_have_count(2)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    assert {"from", "to"} <= query(page).keys()
    server.send(purchase("third", time.time_ns() + 2_000 * MS))
    page.reload()
    expect(lines(page)).to_have_count(2)
    page.keyboard.press("p")
    expect(lines(page)).to_have_count(3)


def test_two_selected_traces_can_be_compared(server: ObservatoryServer, new_page: NewPage) -> None:
    """The one selected first is on the left."""
    page = new_page()
    old, new = purchase(began_unix_nano=time.time_ns() - 5_000 * MS), purchase()
    server.send(old, new)
    page.goto("/")
    lines(page).nth(1).get_by_role("checkbox").check()
    expect(page.get_by_text("Select another to compare it with.")).to_be_visible()
    lines(page).first.locator("a").focus()
    page.keyboard.press("x")
    assert_accessible(page)
    page.get_by_role("button", name="Compare the two traces").click()
    expect(page).to_have_url(re.compile(f"/diff/{old.trace_id.hex()}/{new.trace_id.hex()}"))


def test_the_list_is_sorted_and_paged(server: ObservatoryServer, new_page: NewPage) -> None:
    """Each trace is listed once across all pages; arrow keys move between lines."""
    page = new_page()
    open_overview(server, page)
    page.get_by_role("button", name="Duration").click()
    expect(page.locator('th[aria-sort="descending"]')).to_contain_text("Duration")
    page.get_by_role("button", name="Show more").click()
    expect(lines(page)).to_have_count(100)
    page.get_by_role("button", name="Show more").click()
    expect(lines(page)).to_have_count(TOTAL)
    ids = [line.get_attribute("data-trace-id") for line in page.locator("[data-trace-id]").all()]
    assert len(set(ids)) == TOTAL
    sorted_traces = server.http.get(
        "/api/traces", params={"sort": "duration", "order": "desc", "limit": 500}
    ).json()["traces"]
    assert ids == [trace["trace_id"] for trace in sorted_traces]
    page.locator("[data-trace-id]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/traces/{ids[1]}"))


def test_a_figure_links_to_its_traces(server: ObservatoryServer, new_page: NewPage) -> None:
    """The figures of orphans, context coverage and errors."""
    page = new_page()
    server.send(purchase(), purchase(failing="charge"), purchase(orphaned="charge"))
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


def test_each_empty_state_says_what_to_do_next(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The store, the time range or the result of the filter may be empty."""
    page = new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    assert_accessible(page)
    server.send(purchase(began_unix_nano=time.time_ns() - 3 * 3_600_000 * MS))
    expect(page.get_by_role("heading", name="No traces in this time range")).to_be_visible()
    page.get_by_role("button", name="Show all time").click()
    expect(lines(page)).to_have_count(1)
    page.get_by_role("combobox").fill("absent-value")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No trace matches the filter")).to_be_visible()
    page.get_by_role("button", name="Clear the filter").last.click()
    expect(lines(page)).to_have_count(1)
