"""The explorer's storage view in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journey.observatory_server import (
    ObservatoryServer,
    assert_accessible,
    observatory_in_a_thread,
)
from tests.journey.purchases import many_purchases, purchase

NewPage = Callable[..., Page]


def count_of(page: Page, name: str) -> str:
    """Return the count that the view shows under a name."""
    return (
        page.locator(".counts div")
        .filter(has_text=re.compile(rf"{name}$"))
        .locator("dd")
        .inner_text()
    )


def test_the_view_shows_what_is_stored_and_for_how_long(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The counts, the file, and the options that change the retention."""
    page = new_page()
    page.goto("/storage")
    expect(page.get_by_text("No telemetry has arrived yet.")).to_be_visible()
    assert_accessible(page)
    server.send(*many_purchases(20))
    expect(page.locator(".counts div").first).to_contain_text("20")
    assert int(count_of(page, "log lines")) > 40
    expect(page.get_by_text("spans.duckdb")).to_be_visible()
    expect(page.get_by_text(re.compile("--keep-hours [0-9]+ --keep-mb [0-9]+"))).to_be_visible()
    assert_accessible(page)


def test_an_export_can_be_imported_into_another_observatory(
    server: ObservatoryServer, new_page: NewPage, explorer_build: Path, tmp_path: Path
) -> None:
    """The import lists the stored traces with links to them."""
    trace = purchase("travels")
    server.send(trace)
    page = new_page()
    page.goto("/storage")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Export everything").click()
    file = tmp_path / "traces.json"
    downloading.value.save_as(file)
    assert "resourceSpans" in json.loads(file.read_text())

    with observatory_in_a_thread(tmp_path / "other.duckdb", explorer_build) as other:
        browser = page.context.browser
        assert browser is not None
        other_page = browser.new_page()
        other_page.goto(f"{other.url}/storage")
        other_page.get_by_label("Files to import").set_input_files(file)
        expect(
            other_page.get_by_text(re.compile(r"\d+ spans, 3 log lines and 0 metric points stored"))
        ).to_be_visible()
        other_page.get_by_role("link", name=trace.trace_id.hex()[:12]).click()
        expect(other_page.get_by_role("heading", name=re.compile("travels"))).to_be_visible()
        other_page.close()


def test_only_the_filtered_traces_can_be_exported(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The link is there only with a filter, and exports only the traces that match it."""
    server.send(purchase("one", decline=True), purchase("two"))
    page = new_page()
    page.goto("/storage")
    expect(page.get_by_role("link", name="Export everything")).to_be_visible()
    expect(page.get_by_role("link", name="Export the selection")).to_have_count(0)
    page.goto("/storage?q=declined&last=all")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Export the selection").click()
    text = downloading.value.path().read_text()
    assert '"one"' in text
    assert '"two"' not in text


def test_files_that_cannot_be_imported_are_listed_with_the_reason(
    server: ObservatoryServer, new_page: NewPage, tmp_path: Path
) -> None:
    """Several files at once; a name with markup is shown as text."""
    page = new_page(width=360, height=780)
    page.goto("/storage")
    expect(page.get_by_text("Drop OTLP/JSON")).to_be_visible()
    files = {
        "<b>odd.json": b'{"what": 1}',
        "cut.json": b'{"resourceSp',
        "large.json": b" " * (17 * 2**20),
    }
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    page.get_by_label("Files to import").set_input_files([folder / name for name in files])
    expect(page.locator(".file-imports .bad")).to_have_count(3)
    expect(page.locator(".file-imports")).to_contain_text("<b>odd.json")
    expect(page.locator(".file-imports")).to_contain_text("./scripts/trace import large.json")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)


def test_a_dropped_file_is_imported(server: ObservatoryServer, new_page: NewPage) -> None:
    """The same as a file chosen in the dialog."""
    server.send(purchase("dropped"))
    exported = server.http.get("/api/export").text
    server.http.post("/api/clear", json={"confirm": "clear"}).raise_for_status()
    page = new_page()
    page.goto("/storage")
    expect(page.get_by_text("No telemetry has arrived yet.")).to_be_visible()
    data_transfer = page.evaluate_handle(
        "text => { const data = new DataTransfer();"
        " data.items.add(new File([text], 'one.json', {type: 'application/json'})); return data; }",
        exported,
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": data_transfer})
    expect(page.locator(".file-imports .good")).to_be_visible()
    expect(page.locator(".counts div").first).to_contain_text("1")


def test_clearing_the_store_needs_a_typed_confirmation(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The button is disabled until “clear” is typed; Escape cancels."""
    server.send(*many_purchases(5))
    page = new_page()
    page.goto("/storage")
    page.get_by_role("button", name="Clear everything…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Clear everything")).to_be_disabled()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".counts div").first).to_contain_text("5")
    page.get_by_role("button", name="Clear everything…").click()
    page.get_by_label("Type clear").fill("clear")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Everything was deleted.")).to_be_visible()
    expect(page.get_by_text("No telemetry has arrived yet.")).to_be_visible()
    assert server.http.get("/api/storage").json()["spans"] == 0
