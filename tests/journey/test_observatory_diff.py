"""The explorer's comparison of two traces in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journey.observatory_server import ObservatoryServer, assert_accessible
from tests.unit.observatory.telemetry import MS, Trace, purchase

NewPage = Callable[..., Page]


def slow_and_incomplete() -> Trace:
    """Return a purchase whose charge takes 500 ms longer and whose page lacks `order paid`."""
    trace = purchase("SLOW-1", time.time_ns() - 60_000 * MS)
    trace.spans = [pair for pair in trace.spans if pair[1].name != "order paid"]
    for service, span in trace.spans:
        if (service, span.name) == ("charge", "charge"):
            span.end_time_unix_nano += 500 * MS
    return trace


@pytest.fixture
def trace_ids(server: ObservatoryServer) -> tuple[str, str]:
    """The ids of a normal purchase and of a slow and incomplete one."""
    normal, slow = purchase("GOOD-1", time.time_ns() - 90_000 * MS), slow_and_incomplete()
    server.send(normal, slow)
    return normal.trace_id.hex(), slow.trace_id.hex()


def rows(page: Page) -> Locator:
    """Return the rows of the comparison."""
    return page.get_by_role("treegrid", name="Steps of both traces").get_by_role("row")


def test_differences_are_summarised_counted_and_shown(
    new_page: NewPage, trace_ids: tuple[str, str]
) -> None:
    """A sentence on top, two bars per step, and a word or a number for each difference."""
    page = new_page()
    page.goto(f"/diff/{trace_ids[0]}/{trace_ids[1]}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("order paid")
    expect(page.get_by_text("1 missing")).to_be_visible()
    expect(page.get_by_text("1 slower")).to_be_visible()
    expect(rows(page)).to_have_count(24)
    charge = page.get_by_role("row", name=re.compile("^charge, charge"))
    expect(charge).to_contain_text("+500 ms")
    expect(charge.locator(".ran")).to_have_count(2)
    missing = page.get_by_role("row", name=re.compile("^order paid"))
    expect(missing).to_contain_text("missing")
    expect(missing.locator(".ran")).to_have_count(1)
    assert_accessible(page)


def test_only_differences_and_swapped_sides_are_in_the_address(
    new_page: NewPage, trace_ids: tuple[str, str]
) -> None:
    """“Only differences” hides equal steps, except the ancestors of a difference."""
    left, right = trace_ids
    page = new_page()
    page.goto(f"/diff/{left}/{right}")
    page.get_by_label("Only differences").check()
    expect(page).to_have_url(re.compile(r"only=1"))
    expect(page.get_by_role("row", name=re.compile("^order paid"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^POST .tokens"))).to_have_count(0)
    expect(page.get_by_role("row", name=re.compile("^buy, page"))).to_be_visible()
    page.get_by_role("button", name="Swap").click()
    expect(page).to_have_url(re.compile(f"/diff/{right}/{left}\\?only=1"))
    expect(page.get_by_text("1 added")).to_be_visible()
    page.keyboard.press("d")
    expect(rows(page)).to_have_count(24)


def test_a_step_opens_in_either_trace_by_key(new_page: NewPage, trace_ids: tuple[str, str]) -> None:
    """Enter opens the span in the right trace, Shift+Enter in the left one."""
    left, right = trace_ids
    page = new_page()
    page.goto(f"/diff/{left}/{right}")
    page.get_by_role("row", name=re.compile("^charge, charge")).click()
    page.get_by_role("treegrid").press("Enter")
    expect(page).to_have_url(re.compile(f"/traces/{right}\\?span="))
    expect(page.get_by_role("complementary", name="charge")).to_be_visible()
    page.go_back()
    # The trace view has a treegrid too, so wait for the comparison's heading.
    expect(page.locator(".diff-head.right")).to_be_visible()
    page.get_by_role("treegrid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Enter")
    expect(page).to_have_url(re.compile(f"/traces/{left}\\?span="))


def test_a_trace_that_is_not_stored_is_named(new_page: NewPage, trace_ids: tuple[str, str]) -> None:
    """The message has the id of the missing trace."""
    page = new_page()
    page.goto(f"/diff/{trace_ids[0]}/{'ab' * 16}")
    expect(page.get_by_text("These traces can't be compared")).to_be_visible()
    expect(page.get_by_text("ab" * 16)).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("width", [360, pytest.param(1440, marks=pytest.mark.long)])
def test_the_comparison_is_accessible_and_fits_the_screen(
    new_page: NewPage, trace_ids: tuple[str, str], width: int
) -> None:
    """This holds with differences and without any, for a trace compared with itself."""
    page = new_page(width=width)
    page.goto(f"/diff/{trace_ids[0]}/{trace_ids[1]}")
    expect(rows(page)).to_have_count(24)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"/diff/{trace_ids[0]}/{trace_ids[0]}?only=1")
    expect(page.get_by_text("Both traces have the same 24 steps")).to_be_visible()
    assert_accessible(page)


def test_the_correction_of_clocks_carries_over_from_the_trace(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The checkbox in the comparison turns it off."""
    normal = purchase("GOOD-1", time.time_ns() - 90_000 * MS)
    skewed = purchase("SKEW-1", time.time_ns() - 60_000 * MS)
    for service, span in skewed.spans:
        if service == "acquirer":
            span.start_time_unix_nano += 40_000 * MS
            span.end_time_unix_nano += 40_000 * MS
    server.send(normal, skewed)
    page = new_page()
    page.goto(f"/traces/{skewed.trace_id.hex()}?correct_skew=1")
    page.get_by_role("button", name="Compare with…").click()
    page.get_by_role("textbox", name="Another trace").fill(normal.trace_id.hex())
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page).to_have_url(re.compile("correct_skew=1"))
    right = page.locator(".diff-head.right .took")
    expect(right).to_have_text("2.33 s")
    page.get_by_role("checkbox", name="Correct clock skew").uncheck()
    expect(right).not_to_have_text("2.33 s")
    assert_accessible(page)
