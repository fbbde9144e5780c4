"""The explorer's faults view in a browser, with feature flags in the Firestore emulator."""

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
from observatory.feature_flags.fault_flags import read_fault_flags
from stack.scenario_runner.flags import EFFECTIVE_SECONDS
from tests.addresses import Addresses
from tests.buyer import BoxOffice
from tests.journey.observatory_server import (
    ObservatoryServer,
    assert_accessible,
    explorer_page,
    observatory_in_a_thread,
)
from tests.trace_plugin import WholeTrace
from tests.unit.local_server import free_port, serving
from tests.unit.observatory.test_faults import COLLECTION, Firestore, write_catalogue

NewPage = Callable[..., Page]
OpenPage = Callable[..., Page]


class FaultFlags:
    """Feature flags in a Firestore collection that belongs to one test."""

    def __init__(self, box_office: BoxOffice) -> None:
        self.collection = f"flags-{secrets.token_hex(6)}"
        self._documents = box_office.documents

    def set_flag(self, name: str, on: bool) -> None:
        """Turn a fault on or off, not through the explorer."""
        self._documents.set(f"{self.collection}/{name}", {"on": on}).raise_for_status()

    def on(self) -> set[str]:
        """Return the names of the faults that are on in Firestore."""
        return set(self._documents.ids_where(self.collection, "on", True))

    def clear(self) -> None:
        """Delete every flag."""
        for on in (True, False):
            self._documents.delete_all(
                self.collection, self._documents.ids_where(self.collection, "on", on)
            )


@pytest.fixture
def fault_flags(box_office: BoxOffice) -> Iterator[FaultFlags]:
    """Feature flags of this test alone, deleted afterwards."""
    flags = FaultFlags(box_office)
    yield flags
    flags.clear()


@pytest.fixture
def open_page(
    fault_flags: FaultFlags,
    addresses: Addresses,
    browser: Browser,
    explorer_build: Path,
    tmp_path: Path,
) -> Iterator[OpenPage]:
    """Opens the explorer of an Observatory with a catalogue of three faults.

    Two of them have a flag; the third is turned on by a parameter of the app's page.
    """
    documents = f"{addresses.firestore}/v1/projects/{addresses.project}/databases/(default)"
    connected = read_fault_flags(
        write_catalogue(tmp_path),
        f"{documents}/documents/{fault_flags.collection}",
        addresses.hosting,
    )
    contexts = []
    with observatory_in_a_thread(
        tmp_path / "spans.duckdb", explorer_build, fault_flags=connected
    ) as server:

        def enter_page(**options: Any) -> Page:
            context = explorer_page(browser, server.url, **options)
            contexts.append(context)
            return context.__enter__()

        yield enter_page
        for context in contexts:
            context.__exit__(None, None, None)


def switch(page: Page, name: str) -> Locator:
    """Return the switch of a fault."""
    return page.get_by_role("switch", name=name)


def test_a_fault_is_turned_on_and_off_by_keyboard(
    open_page: OpenPage, fault_flags: FaultFlags
) -> None:
    """Firestore has the flag at once, and a badge in every view counts the faults that are on."""
    page = open_page()
    page.goto("/faults")
    expect(page.get_by_text("0 of 3 faults on.")).to_be_visible()
    expect(page.get_by_role("button", name="Turn all off")).to_be_disabled()
    assert_accessible(page)
    switch(page, "no-key").focus()
    page.keyboard.press("Space")
    expect(switch(page, "no-key")).to_be_checked()
    badge = page.get_by_role("link", name="1 fault on")
    expect(badge).to_be_visible()
    assert fault_flags.on() == {"no-key"}
    expect(switch(page, "no-key")).to_be_focused()
    expect(switch(page, "reads-all")).not_to_be_checked()
    assert_accessible(page)
    page.get_by_role("link", name="Overview").click()
    expect(badge).to_have_attribute("title", re.compile("misbehaves on purpose: no-key"))
    badge.click()
    page.keyboard.press("Tab")
    switch(page, "no-key").press("Enter")
    expect(switch(page, "no-key")).not_to_be_checked()
    expect(badge).to_have_count(0)
    assert fault_flags.on() == set()


def test_a_flag_changed_elsewhere_is_shown_within_seconds(
    open_page: OpenPage, fault_flags: FaultFlags
) -> None:
    """Every view shows it; “Turn all off” turns off all faults."""
    page = open_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    fault_flags.set_flag("no-key", True)
    fault_flags.set_flag("reads-all", True)
    expect(page.get_by_role("link", name="2 faults on")).to_be_visible(timeout=8_000)
    assert_accessible(page)
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.get_by_text("2 of 3 faults on.")).to_be_visible()
    page.get_by_role("button", name="Turn all off").click()
    expect(page.get_by_text("0 of 3 faults on.")).to_be_visible()
    assert fault_flags.on() == set()


def test_a_fault_of_the_page_is_a_link_to_the_page_with_it(
    open_page: OpenPage, addresses: Addresses
) -> None:
    """It opens in a new tab and has no switch."""
    page = open_page()
    page.goto("/faults")
    link = page.get_by_role("link", name="Open the page with looks-empty on, in a new tab")
    expect(link).to_have_attribute("href", f"{addresses.hosting}/?fault=looks-empty")
    expect(link).to_have_attribute("target", "_blank")
    expect(page.get_by_role("switch")).to_have_count(2)


@pytest.mark.parametrize(
    "width",
    [360, pytest.param(768, marks=pytest.mark.long), pytest.param(1440, marks=pytest.mark.long)],
)
def test_the_faults_view_is_accessible_and_fits_the_screen(
    open_page: OpenPage, fault_flags: FaultFlags, width: int
) -> None:
    """Neither the page nor its navigation, with the badge, scrolls sideways."""
    fault_flags.set_flag("no-key", True)
    page = open_page(width=width, height=780)
    page.goto("/faults")
    expect(switch(page, "no-key")).to_be_checked()
    expect(page.get_by_role("link", name=re.compile("1 fault"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('nav').scrollWidth") <= width
    assert_accessible(page)


def test_a_refused_change_is_reported_and_changes_nothing(
    open_page: OpenPage, fault_flags: FaultFlags
) -> None:
    """The message is beside the switch, and is gone after the next, successful attempt."""
    page = open_page()
    page.goto("/faults")
    error = {"error": {"code": "flags_unreachable", "message": "Firestore has the hiccups."}}
    page.route(
        "**/api/faults/no-key", lambda route: route.fulfill(status=503, body=json.dumps(error))
    )
    switch(page, "no-key").click()
    row = page.get_by_role("listitem").filter(has=switch(page, "no-key"))
    expect(row.get_by_role("alert")).to_contain_text("Firestore has the hiccups.")
    expect(switch(page, "no-key")).not_to_be_checked()
    assert_accessible(page)
    page.unroute("**/api/faults/no-key")
    switch(page, "no-key").click()
    expect(switch(page, "no-key")).to_be_checked()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert fault_flags.on() == {"no-key"}


def test_loading_the_faults_and_its_failure_have_a_message(new_page: NewPage) -> None:
    """The failure's message is the server's."""
    page = new_page()
    pending: list[Route] = []

    def hold(route: Route) -> None:
        pending.append(route)

    page.route("**/api/faults", hold)
    page.goto("/faults")
    expect(page.get_by_role("heading", name="Loading the faults…")).to_be_visible()
    assert_accessible(page)
    error = {"error": {"code": "internal", "message": "The catalogue has the hiccups."}}

    def fail(route: Route) -> None:
        route.fulfill(status=500, body=json.dumps(error))

    page.route("**/api/faults", fail)
    for route in pending:
        fail(route)
    expect(page.get_by_role("heading", name="The faults can't be shown")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("The catalogue has the hiccups.")
    assert_accessible(page)


def test_the_list_survives_an_outage_of_firestore(
    browser: Browser, explorer_build: Path, tmp_path: Path
) -> None:
    """The switches are disabled while Firestore is unreachable, and work again afterwards."""
    port, firestore = free_port(), Firestore()
    firestore.turn("no-key")
    connected = read_fault_flags(
        write_catalogue(tmp_path), f"http://127.0.0.1:{port}{COLLECTION}", "http://127.0.0.1:9"
    )
    with (
        observatory_in_a_thread(
            tmp_path / "spans.duckdb", explorer_build, fault_flags=connected
        ) as server,
        explorer_page(browser, server.url) as page,
    ):
        page.goto("/faults")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(f"The flags at http://127.0.0.1:{port} cannot be read")
        expect(switch(page, "no-key")).to_be_disabled()
        expect(page.get_by_role("button", name="Turn all off")).to_be_disabled()
        assert_accessible(page)
        with serving(firestore.respond, port):
            expect(switch(page, "no-key")).to_be_checked()
            expect(alert).to_have_count(0)
        expect(alert).to_be_visible()
        expect(page.get_by_text("reads-all")).to_be_visible()


def test_without_a_catalogue_the_view_says_how_to_connect_an_app(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The view has the command to run, and no switches."""
    page = new_page(width=360)
    page.goto("/faults")
    expect(page.get_by_role("heading", name="No app with faults is connected")).to_be_visible()
    expect(page.get_by_text("./scripts/dev")).to_be_visible()
    expect(page.get_by_role("switch")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)


def test_an_empty_catalogue_has_an_empty_state(
    browser: Browser, explorer_build: Path, tmp_path: Path
) -> None:
    """An empty catalogue is not an error."""
    with serving(Firestore().respond) as firestore:
        connected = read_fault_flags(
            write_catalogue(tmp_path, []), f"{firestore.url}{COLLECTION}", "http://127.0.0.1:9"
        )
        with (
            observatory_in_a_thread(
                tmp_path / "spans.duckdb", explorer_build, fault_flags=connected
            ) as server,
            explorer_page(browser, server.url) as page,
        ):
            page.goto("/faults")
            expect(page.get_by_role("heading", name="The app has no faults")).to_be_visible()
            assert_accessible(page)


def test_the_stacks_faults_are_listed_and_take_effect(
    browser: Browser, addresses: Addresses, open_show: Callable[..., str], whole_trace: WholeTrace
) -> None:
    """A fault turned on in the explorer is evaluated by the function that it affects."""
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
            page.wait_for_timeout(EFFECTIVE_SECONDS * 1000)
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
    # The request's parent span was made up, so it never arrives.
    row = whole_trace(trace_id, orphans=1).one("availability", "availability")
    evaluated = [event["attributes"].get("feature_flag.key") for event in row["events"]]
    assert fault in evaluated
