"""Two traces side by side in the explorer, in a real browser, over an Observatory of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journey.observatory_server import OwnObservatory, accessible
from tests.unit.observatory.telemetry import MS, Trace, purchase

NewPage = Callable[..., Page]


def slow_and_incomplete() -> Trace:
    """A purchase whose charge takes 500 ms longer, and that never told the page of its payment."""
    trace = purchase("SLOW-1", time.time_ns() - 60_000 * MS)
    trace.spans = [pair for pair in trace.spans if pair[1].name != "order paid"]
    for service, span in trace.spans:
        if (service, span.name) == ("charge", "charge"):
            span.end_time_unix_nano += 500 * MS
    return trace


@pytest.fixture
def both(running: OwnObservatory) -> tuple[str, str]:
    """The ids of a good purchase and of one that differs."""
    good, odd = purchase("GOOD-1", time.time_ns() - 90_000 * MS), slow_and_incomplete()
    running.send(good, odd)
    return good.trace_id.hex(), odd.trace_id.hex()


def rows(page: Page) -> Locator:
    return page.get_by_role("treegrid", name="Steps of both traces").get_by_role("row")


def test_what_differs_is_said_counted_and_shown(new_page: NewPage, both: tuple[str, str]) -> None:
    """A sentence on top, a pair of bars a step, and a word or a number for each difference."""
    page = new_page()
    page.goto(f"/diff/{both[0]}/{both[1]}")
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
    accessible(page)


def test_only_differences_and_swapped_as_the_address_says(
    new_page: NewPage, both: tuple[str, str]
) -> None:
    """What is the same goes, save what differences are below of; left and right change places."""
    left, right = both
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


def test_a_step_opens_in_either_trace_by_key(new_page: NewPage, both: tuple[str, str]) -> None:
    """Enter goes to the right trace, with Shift to the left one, at that span."""
    left, right = both
    page = new_page()
    page.goto(f"/diff/{left}/{right}")
    page.get_by_role("row", name=re.compile("^charge, charge")).click()
    page.get_by_role("treegrid").press("Enter")
    expect(page).to_have_url(re.compile(f"/traces/{right}\\?span="))
    expect(page.get_by_role("complementary", name="charge")).to_be_visible()
    page.go_back()
    # The trace has a treegrid too, which is there until the two are.
    expect(page.locator(".diff-head.right")).to_be_visible()
    page.get_by_role("treegrid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Enter")
    expect(page).to_have_url(re.compile(f"/traces/{left}\\?span="))


def test_a_trace_that_is_not_stored_is_named(new_page: NewPage, both: tuple[str, str]) -> None:
    """Which of the two it is is said."""
    page = new_page()
    page.goto(f"/diff/{both[0]}/{'ab' * 16}")
    expect(page.get_by_text("These traces can't be compared")).to_be_visible()
    expect(page.get_by_text("ab" * 16)).to_be_visible()
    accessible(page)


@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_narrow_and_wide(new_page: NewPage, both: tuple[str, str], width: int) -> None:
    """Nothing scrolls sideways, and axe finds nothing; the same trace twice has no differences."""
    page = new_page(width=width)
    page.goto(f"/diff/{both[0]}/{both[1]}")
    expect(rows(page)).to_have_count(24)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"/diff/{both[0]}/{both[0]}?only=1")
    expect(page.get_by_text("Both traces have the same 24 steps")).to_be_visible()
    accessible(page)


def test_clocks_are_as_the_trace_showed_them(running: OwnObservatory, new_page: NewPage) -> None:
    """Set right in the trace, they are in the comparison too, until one asks otherwise."""
    good = purchase("GOOD-1", time.time_ns() - 90_000 * MS)
    odd = purchase("ODD-1", time.time_ns() - 60_000 * MS)
    for service, span in odd.spans:
        if service == "acquirer":
            span.start_time_unix_nano += 40_000 * MS
            span.end_time_unix_nano += 40_000 * MS
    running.send(good, odd)
    page = new_page()
    page.goto(f"/traces/{odd.trace_id.hex()}?correct_skew=1")
    page.get_by_role("button", name="Compare with…").click()
    page.get_by_role("textbox", name="Another trace").fill(good.trace_id.hex())
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page).to_have_url(re.compile("correct_skew=1"))
    right = page.locator(".diff-head.right .took")
    expect(right).to_have_text("2.33 s")
    page.get_by_role("checkbox", name="Correct clock skew").uncheck()
    expect(right).not_to_have_text("2.33 s")
    accessible(page)
