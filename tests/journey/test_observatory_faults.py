"""The explorer's switchboard, in a real browser, over the real emulator's Firestore."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from playwright.sync_api import Browser, Locator, Page, Route, expect

from cloud.platform_conditions.catalogue import CONDITIONS
from faults.catalogue import FAULTS
from stack.scenario_runner.flags import OBEYED_SECONDS
from tests.addresses import Addresses
from tests.buyer import BoxOffice
from tests.journey.observatory_server import (
    OwnObservatory,
    accessible,
    explorer_page,
    own_observatory,
)
from tests.trace_plugin import WholeTrace
from tests.unit.local_server import free_port, serving
from tests.unit.observatory.test_faults import COLLECTION, Firestore, catalogue_in

NewPage = Callable[..., Page]
OwnPage = Callable[..., Page]


class Board:
    """An Observatory with a switchboard whose flags are a collection of the test's own."""

    def __init__(self, box_office: BoxOffice) -> None:
        self.collection = f"flags-{secrets.token_hex(6)}"
        self._documents = box_office.documents

    def turn(self, name: str, on: bool) -> None:
        """Somebody else turns a fault."""
        self._documents.set(f"{self.collection}/{name}", {"on": on}).raise_for_status()

    def on(self) -> set[str]:
        """The faults that are on, as Firestore has it."""
        return set(self._documents.ids_where(self.collection, "on", True))

    def clear(self) -> None:
        """Delete every flag."""
        for on in (True, False):
            self._documents.delete_all(
                self.collection, self._documents.ids_where(self.collection, "on", on)
            )


@pytest.fixture
def board(box_office: BoxOffice) -> Iterator[Board]:
    """Flags of the test's own."""
    made = Board(box_office)
    yield made
    made.clear()


@pytest.fixture
def open_page(
    board: Board, addresses: Addresses, browser: Browser, explorer: Path, tmp_path: Path
) -> Iterator[OwnPage]:
    """Opens the explorer of an Observatory that was told of two faults with flags and a page's."""
    documents = f"{addresses.firestore}/v1/projects/{addresses.project}/databases/(default)"
    options = [
        *("--faults", str(catalogue_in(tmp_path))),
        *("--flags", f"{documents}/documents/{board.collection}"),
        *("--app", addresses.hosting),
    ]
    contexts = []
    with own_observatory(tmp_path / "spans.duckdb", explorer, *options) as server:

        def open_it(**how: Any) -> Page:
            context = explorer_page(browser, server.url, **how)
            contexts.append(context)
            return context.__enter__()

        yield open_it
        for context in contexts:
            context.__exit__(None, None, None)


def switch(page: Page, name: str) -> Locator:
    """A fault's switch."""
    return page.get_by_role("switch", name=name)


def test_a_fault_is_turned_on_and_off_by_keyboard(open_page: OwnPage, board: Board) -> None:
    """Firestore has it at once, and every view says so."""
    page = open_page()
    page.goto("/faults")
    expect(page.get_by_text("0 of 3 faults on.")).to_be_visible()
    expect(page.get_by_role("button", name="Turn all off")).to_be_disabled()
    accessible(page)
    switch(page, "no-key").focus()
    page.keyboard.press("Space")
    expect(switch(page, "no-key")).to_be_checked()
    badge = page.get_by_role("link", name="1 fault on")
    expect(badge).to_be_visible()
    assert board.on() == {"no-key"}
    expect(switch(page, "no-key")).to_be_focused()
    expect(switch(page, "reads-all")).not_to_be_checked()
    accessible(page)
    page.get_by_role("link", name="Overview").click()
    expect(badge).to_have_attribute("title", re.compile("wrong on purpose: no-key"))
    badge.click()
    page.keyboard.press("Tab")
    switch(page, "no-key").press("Enter")
    expect(switch(page, "no-key")).not_to_be_checked()
    expect(badge).to_have_count(0)
    assert board.on() == set()


def test_what_somebody_else_turns_shows_by_itself(open_page: OwnPage, board: Board) -> None:
    """Within seconds, in any view; and all of it can be turned off at once."""
    page = open_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    board.turn("no-key", True)
    board.turn("reads-all", True)
    expect(page.get_by_role("link", name="2 faults on")).to_be_visible(timeout=8_000)
    accessible(page)
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.get_by_text("2 of 3 faults on.")).to_be_visible()
    page.get_by_role("button", name="Turn all off").click()
    expect(page.get_by_text("0 of 3 faults on.")).to_be_visible()
    assert board.on() == set()


def test_a_pages_fault_is_a_link_to_the_page_that_has_it(
    open_page: OwnPage, addresses: Addresses
) -> None:
    """It opens beside the explorer; there is nothing to turn."""
    page = open_page()
    page.goto("/faults")
    link = page.get_by_role("link", name="Open the page with looks-empty on, in a new tab")
    expect(link).to_have_attribute("href", f"{addresses.hosting}/?fault=looks-empty")
    expect(link).to_have_attribute("target", "_blank")
    expect(page.get_by_role("switch")).to_have_count(2)


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_it_fits_narrow_and_wide(open_page: OwnPage, board: Board, width: int) -> None:
    """Nothing has to be scrolled to from the side, the badge included."""
    board.turn("no-key", True)
    page = open_page(width=width, height=780)
    page.goto("/faults")
    expect(switch(page, "no-key")).to_be_checked()
    expect(page.get_by_role("link", name=re.compile("1 fault"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('nav').scrollWidth") <= width
    accessible(page)


def test_what_is_refused_is_said_and_nothing_is_turned(open_page: OwnPage, board: Board) -> None:
    """Beside the switch, which is as it was; and the next try says nothing of the last."""
    page = open_page()
    page.goto("/faults")
    said = {"error": {"code": "flags_unreachable", "message": "Firestore has the hiccups."}}
    page.route(
        "**/api/faults/no-key", lambda route: route.fulfill(status=503, body=json.dumps(said))
    )
    switch(page, "no-key").click()
    row = page.get_by_role("listitem").filter(has=switch(page, "no-key"))
    expect(row.get_by_role("alert")).to_contain_text("Firestore has the hiccups.")
    expect(switch(page, "no-key")).not_to_be_checked()
    accessible(page)
    page.unroute("**/api/faults/no-key")
    switch(page, "no-key").click()
    expect(switch(page, "no-key")).to_be_checked()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert board.on() == {"no-key"}


def test_until_the_faults_are_there_it_says_what_it_waits_for(new_page: NewPage) -> None:
    """Or why they aren't to be had."""
    page = new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/faults", hold)
    page.goto("/faults")
    expect(page.get_by_role("heading", name="Loading the faults…")).to_be_visible()
    accessible(page)
    said = {"error": {"code": "internal", "message": "The catalogue has the hiccups."}}

    def refuse(route: Route) -> None:
        route.fulfill(status=500, body=json.dumps(said))

    page.route("**/api/faults", refuse)
    for route in held:
        refuse(route)
    expect(page.get_by_role("heading", name="The faults can't be shown")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("The catalogue has the hiccups.")
    accessible(page)


def test_a_dead_emulator_loses_nothing(browser: Browser, explorer: Path, tmp_path: Path) -> None:
    """The list stays, nothing can be turned, and when it is back so is everything."""
    port, firestore = free_port(), Firestore()
    firestore.turn("no-key")
    options = [
        *("--faults", str(catalogue_in(tmp_path)), "--app", "http://127.0.0.1:9"),
        *("--flags", f"http://127.0.0.1:{port}{COLLECTION}"),
    ]
    with (
        own_observatory(tmp_path / "spans.duckdb", explorer, *options) as server,
        explorer_page(browser, server.url) as page,
    ):
        page.goto("/faults")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(f"Firestore at http://127.0.0.1:{port}")
        expect(switch(page, "no-key")).to_be_disabled()
        expect(page.get_by_role("button", name="Turn all off")).to_be_disabled()
        accessible(page)
        with serving(firestore.answer, port):
            expect(switch(page, "no-key")).to_be_checked()
            expect(alert).to_have_count(0)
        expect(alert).to_be_visible()
        expect(page.get_by_text("reads-all")).to_be_visible()


def test_an_observatory_alone_says_how_to_get_a_switchboard(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """In its view; the frame says nothing of faults."""
    page = new_page(width=360)
    page.goto("/faults")
    expect(page.get_by_role("heading", name="No app with faults is connected")).to_be_visible()
    expect(page.get_by_text("./scripts/dev")).to_be_visible()
    expect(page.get_by_role("switch")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)


def test_an_empty_catalogue_is_said(browser: Browser, explorer: Path, tmp_path: Path) -> None:
    """It is no error, and no list either."""
    with serving(Firestore().answer) as firestore:
        options = [
            *("--faults", str(catalogue_in(tmp_path, [])), "--app", "http://127.0.0.1:9"),
            *("--flags", f"{firestore.url}{COLLECTION}"),
        ]
        with (
            own_observatory(tmp_path / "spans.duckdb", explorer, *options) as server,
            explorer_page(browser, server.url) as page,
        ):
            page.goto("/faults")
            expect(page.get_by_role("heading", name="The app has no faults")).to_be_visible()
            accessible(page)


def test_the_stacks_own_switchboard_has_every_fault_and_the_functions_obey_it(
    browser: Browser, addresses: Addresses, open_show: Callable[..., str], whole_trace: WholeTrace
) -> None:
    """From the switch to the trace of what then goes wrong."""
    fault = "reads-everything"
    with explorer_page(browser, addresses.observatory) as page:
        page.goto("/faults")
        names = page.locator(".fault h2")
        expect(names).to_have_text(
            [*(fault.name for fault in FAULTS), *(one.name for one in CONDITIONS)]
        )
        try:
            switch(page, fault).click()
            expect(page.get_by_role("link", name="1 fault on")).to_be_visible()
            page.wait_for_timeout(OBEYED_SECONDS * 1000)
            ids = RandomIdGenerator()
            trace_id, span_id = f"{ids.generate_trace_id():032x}", f"{ids.generate_span_id():016x}"
            httpx.get(
                f"{addresses.functions}/{addresses.project}/us-central1/availability",
                params={"show_id": open_show(seats=5)},
                headers={"traceparent": f"00-{trace_id}-{span_id}-01"},
                timeout=60,
            ).raise_for_status()
        finally:
            page.get_by_role("button", name="Turn all off").click()
            expect(page.get_by_role("link", name="1 fault on")).to_have_count(0)
    # The page that asked is none of ours, so its span never comes.
    row = whole_trace(trace_id, orphans=1).one("availability", "availability")
    met = [event["attributes"].get("feature_flag.key") for event in row["events"]]
    assert fault in met
