"""The explorer's storage view, in a real browser, over an Observatory of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from tests.journey.observatory_server import OwnObservatory, accessible, own_observatory
from tests.journey.purchases import crowd, purchase

NewPage = Callable[..., Page]


def counted(page: Page, name: str) -> str:
    """What the view says there is of something."""
    return (
        page.locator(".counts div")
        .filter(has_text=re.compile(rf"{name}$"))
        .locator("dd")
        .inner_text()
    )


def test_what_is_held_and_for_how_long_is_said(running: OwnObservatory, new_page: NewPage) -> None:
    """How much of everything, in which file, and how to keep it for another time."""
    page = new_page()
    page.goto("/storage")
    expect(page.get_by_text("No telemetry has arrived yet.")).to_be_visible()
    accessible(page)
    running.send(*crowd(20))
    expect(page.locator(".counts div").first).to_contain_text("20")
    assert int(counted(page, "log lines")) > 40
    expect(page.get_by_text("spans.duckdb")).to_be_visible()
    expect(page.get_by_text(re.compile("--keep-hours [0-9]+ --keep-mb [0-9]+"))).to_be_visible()
    accessible(page)


def test_everything_leaves_and_comes_in_elsewhere(
    running: OwnObservatory, new_page: NewPage, explorer: Path, tmp_path: Path
) -> None:
    """A file that one Observatory exports, another one imports, with links to its traces."""
    bought = purchase("travels")
    running.send(bought)
    page = new_page()
    page.goto("/storage")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Export everything").click()
    file = tmp_path / "traces.json"
    downloading.value.save_as(file)
    assert "resourceSpans" in json.loads(file.read_text())

    with own_observatory(tmp_path / "other.duckdb", explorer) as other:
        there = page.context.browser
        assert there is not None
        elsewhere = there.new_page()
        elsewhere.goto(f"{other.url}/storage")
        elsewhere.get_by_label("Files to import").set_input_files(file)
        expect(
            elsewhere.get_by_text(re.compile(r"\d+ spans, 3 log lines and 0 metric points stored"))
        ).to_be_visible()
        elsewhere.get_by_role("link", name=bought.trace_id.hex()[:12]).click()
        expect(elsewhere.get_by_role("heading", name=re.compile("travels"))).to_be_visible()
        elsewhere.close()


def test_the_selection_leaves_alone(running: OwnObservatory, new_page: NewPage) -> None:
    """Only when there is one: its link has the filter that the overview has."""
    running.send(purchase("one", decline=True), purchase("two"))
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


def test_what_can_not_be_read_is_said(running: OwnObservatory, new_page: NewPage) -> None:
    """Several files at once, each with what became of it; names are text."""
    page = new_page(width=360, height=780)
    page.goto("/storage")
    expect(page.get_by_text("Drop OTLP/JSON")).to_be_visible()
    files = {
        "<b>odd.json": b'{"what": 1}',
        "cut.json": b'{"resourceSp',
        "large.json": b" " * (17 * 2**20),
    }
    page.get_by_label("Files to import").set_input_files(
        [
            FilePayload(name=name, mimeType="application/json", buffer=holds)
            for name, holds in files.items()
        ]
    )
    expect(page.locator(".file-imports .bad")).to_have_count(3)
    expect(page.locator(".file-imports")).to_contain_text("<b>odd.json")
    expect(page.locator(".file-imports")).to_contain_text("./scripts/trace import large.json")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)


def test_a_dropped_file_is_taken_in(running: OwnObservatory, new_page: NewPage) -> None:
    """Dropping does what choosing does."""
    running.send(purchase("dropped"))
    exported = running.http.get("/api/export").text
    running.http.post("/api/clear", json={"confirm": "clear"}).raise_for_status()
    page = new_page()
    page.goto("/storage")
    expect(page.get_by_text("No telemetry has arrived yet.")).to_be_visible()
    dropped = page.evaluate_handle(
        "text => { const data = new DataTransfer();"
        " data.items.add(new File([text], 'one.json', {type: 'application/json'})); return data; }",
        exported,
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    expect(page.locator(".file-imports .good")).to_be_visible()
    expect(page.locator(".counts div").first).to_contain_text("1")


def test_everything_is_cleared_only_in_writing(running: OwnObservatory, new_page: NewPage) -> None:
    """The button waits for the word; Escape keeps everything."""
    running.send(*crowd(5))
    page = new_page()
    page.goto("/storage")
    page.get_by_role("button", name="Clear everything…").click()
    dialog = page.get_by_role("dialog")
    gone = dialog.get_by_role("button", name="Clear everything")
    expect(gone).to_be_disabled()
    accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".counts div").first).to_contain_text("5")
    page.get_by_role("button", name="Clear everything…").click()
    page.get_by_label("Type clear").fill("clear")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Everything was deleted.")).to_be_visible()
    expect(page.get_by_text("No telemetry has arrived yet.")).to_be_visible()
    assert running.http.get("/api/storage").json()["spans"] == 0
