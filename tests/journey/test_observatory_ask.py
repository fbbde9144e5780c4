"""The explorer's SQL view in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, expect

from tests.journey.observatory_server import ObservatoryServer, assert_accessible
from tests.journey.purchases import many_purchases, purchase

NewPage = Callable[..., Page]


def query_path(sql: str) -> str:
    """Return the path that runs a query."""
    return f"/ask?{urlencode({'sql': sql})}"


def test_a_click_runs_an_example(server: ObservatoryServer, new_page: NewPage) -> None:
    """Its SQL is in the editor and in the address; its rows link to their traces."""
    server.send(*many_purchases(12))
    page = new_page()
    page.goto("/ask")
    expect(page.get_by_text("Its result appears here.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Which orders took longest?").click()
    expect(page.get_by_text("12 rows")).to_be_visible()
    sql = page.get_by_label("SQL query").input_value()
    assert parse_qs(urlsplit(page.url).query) == {"sql": [sql]}
    assert_accessible(page)
    page.locator("tbody a").first.click()
    expect(page).to_have_url(re.compile("/traces/[0-9a-f]{32}"))
    page.go_back()
    expect(page.get_by_text("12 rows")).to_be_visible()


def test_every_example_runs(server: ObservatoryServer, new_page: NewPage) -> None:
    """Each request succeeds and shows a result."""
    server.send(*many_purchases(5))
    page = new_page()
    page.goto("/ask")
    examples = page.locator(".examples button")
    expect(examples.first).to_be_visible()
    for number in range(examples.count()):
        # The previous result stays until the new one arrives, so wait for the response itself.
        with page.expect_response("**/api/ask") as response:
            examples.nth(number).click()
        assert response.value.ok, response.value.text()
        expect(page.locator(".results")).to_be_visible()


def test_the_editor_can_be_used_by_keyboard(server: ObservatoryServer, new_page: NewPage) -> None:
    """Tab indents, Shift+Tab unindents, Ctrl+Enter runs, Escape then Tab leaves."""
    server.send(purchase())
    page = new_page()
    page.goto("/ask")
    field = page.get_by_label("SQL query")
    field.focus()
    page.keyboard.type("select count(*)")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("as seen from spans")
    expect(field).to_have_value("select count(*)\n  as seen from spans")
    page.keyboard.press("Shift+Tab")
    expect(field).to_have_value("select count(*)\nas seen from spans")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="seen")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run")).to_be_focused()


def test_a_failed_query_shows_where_it_failed(server: ObservatoryServer, new_page: NewPage) -> None:
    """DuckDB's message is shown, and a button moves the caret to the error."""
    page = new_page()
    page.goto(query_path("select name\nfrom spanz"))
    expect(page.get_by_role("heading", name="The query failed")).to_be_visible()
    expect(page.locator(".ask-failed")).to_contain_text("spanz does not exist")
    assert_accessible(page)
    page.get_by_role("button", name="Go to line 2, column 6").click()
    field = page.get_by_label("SQL query")
    assert field.evaluate("field => field.selectionStart") == len("select name\nfrom ")


def test_a_query_cannot_change_the_store(server: ObservatoryServer, new_page: NewPage) -> None:
    """DROP fails, and the view still has its rows."""
    server.send(purchase())
    page = new_page()
    page.goto(query_path("drop view spans"))
    expect(page.get_by_role("heading", name="The query failed")).to_be_visible()
    page.goto(query_path("select count(*) > 0 as there from spans"))
    expect(page.locator("tbody td").first).to_have_text("true")


def test_large_results_are_sorted_and_drawn_lazily(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Only visible rows are in the document; a click on a column header sorts all rows."""
    page = new_page()
    page.goto(query_path("select i as number, 'row ' || i as name from range(5000) as t(i)"))
    expect(page.get_by_text("these are the first 1,000", exact=False)).to_be_visible()
    page.get_by_role("button", name="Fetch more").click()
    expect(page.get_by_text("5,000 rows")).to_be_visible()
    assert page.locator("tbody tr").count() < 100
    page.get_by_role("button", name="number").click()
    page.get_by_role("button", name="number").click()
    expect(page.locator("tbody td").first).to_have_text("4999")
    expect(page.get_by_role("columnheader", name="number")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.locator(".grid-scroll").evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(page.get_by_role("cell", name="row 0", exact=True)).to_be_visible()


def test_a_result_is_copied_as_csv(server: ObservatoryServer, new_page: NewPage) -> None:
    """The copy has a header row, and quotes where CSV needs them."""
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(query_path("select 'a, b' as text, 2 as number"))
    page.get_by_role("button", name="Copy as CSV").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.replace("\r\n", "\n") == 'text,number\n"a, b",2\n'


def test_values_are_shown_as_text_and_long_ones_in_a_dialog(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """Markup is not rendered, and at a phone's width the page does not scroll sideways."""
    hostile = "<img src=x onerror=alert(1)>" + "y" * 300
    page = new_page(width=360, height=780)
    page.goto(
        query_path(f"select '{hostile}' as odd, map {{'<b>': 'c'}} as nested, null as nothing")
    )
    page.get_by_role("button", name=re.compile("^<img")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(hostile)
    assert_accessible(page)
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("main img")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_past_queries_and_column_names_can_be_inserted(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The history survives a reload; a column's name is inserted at the caret."""
    page = new_page()
    page.goto(query_path("select 41 + 1 as answer"))
    expect(page.locator("tbody td").first).to_have_text("42")
    page.goto("/ask")
    page.get_by_role("button", name="History").click()
    assert_accessible(page)
    page.get_by_role("button", name="select 41 + 1 as answer").click()
    expect(page.locator("tbody td").first).to_have_text("42")
    field = page.get_by_label("SQL query")
    field.fill("select ")
    page.get_by_role("button", name="Insert duration_ms").click()
    expect(field).to_have_value("select duration_ms")
