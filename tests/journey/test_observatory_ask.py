"""The explorer's questions in SQL, in a real browser, over an Observatory of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, expect

from tests.journey.observatory_server import OwnObservatory, accessible
from tests.journey.purchases import crowd, purchase

NewPage = Callable[..., Page]


def asking(sql: str) -> str:
    """The address of a question."""
    return f"/ask?{urlencode({'sql': sql})}"


def test_an_example_is_asked_with_a_click(running: OwnObservatory, new_page: NewPage) -> None:
    """Its SQL is in the field and in the address; its rows are links to what they are about."""
    running.send(*crowd(12))
    page = new_page()
    page.goto("/ask")
    expect(page.get_by_text("Its result appears here.")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Which orders took longest?").click()
    expect(page.get_by_text("12 rows")).to_be_visible()
    sql = page.get_by_label("SQL query").input_value()
    assert parse_qs(urlsplit(page.url).query) == {"sql": [sql]}
    accessible(page)
    page.locator("tbody a").first.click()
    expect(page).to_have_url(re.compile("/traces/[0-9a-f]{32}"))
    page.go_back()
    expect(page.get_by_text("12 rows")).to_be_visible()


def test_every_example_has_an_answer(running: OwnObservatory, new_page: NewPage) -> None:
    """None is refused."""
    running.send(*crowd(5))
    page = new_page()
    page.goto("/ask")
    examples = page.locator(".examples button")
    expect(examples.first).to_be_visible()
    for number in range(examples.count()):
        # The answer to the one before is there until this one is asked.
        with page.expect_response("**/api/ask") as answered:
            examples.nth(number).click()
        assert answered.value.ok, answered.value.text()
        expect(page.locator(".results")).to_be_visible()


def test_the_keyboard_writes_and_asks(running: OwnObservatory, new_page: NewPage) -> None:
    """Tab indents, Ctrl+Enter asks, Escape and Tab leave; undo takes an indent back."""
    running.send(purchase())
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


def test_a_mistake_is_shown_at_its_place(running: OwnObservatory, new_page: NewPage) -> None:
    """In the database's words, with the line that is wrong, and a way there."""
    page = new_page()
    page.goto(asking("select name\nfrom spanz"))
    expect(page.get_by_role("heading", name="The query failed")).to_be_visible()
    expect(page.locator(".ask-failed")).to_contain_text("spanz does not exist")
    accessible(page)
    page.get_by_role("button", name="Go to line 2, column 6").click()
    field = page.get_by_label("SQL query")
    assert field.evaluate("field => field.selectionStart") == len("select name\nfrom ")


def test_nothing_can_be_changed(running: OwnObservatory, new_page: NewPage) -> None:
    """What would write is refused, and nothing is gone."""
    running.send(purchase())
    page = new_page()
    page.goto(asking("drop view spans"))
    expect(page.get_by_role("heading", name="The query failed")).to_be_visible()
    page.goto(asking("select count(*) > 0 as there from spans"))
    expect(page.locator("tbody td").first).to_have_text("true")


def test_rows_are_sorted_and_many_scroll(running: OwnObservatory, new_page: NewPage) -> None:
    """Only what is in sight is in the page; a click on a column's name sorts all of them."""
    page = new_page()
    page.goto(asking("select i as number, 'row ' || i as name from range(5000) as t(i)"))
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


def test_the_answer_is_copied_as_csv(running: OwnObservatory, new_page: NewPage) -> None:
    """With names, and quotes where they are needed."""
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(asking("select 'a, b' as text, 2 as number"))
    page.get_by_role("button", name="Copy as CSV").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.replace("\r\n", "\n") == 'text,number\n"a, b",2\n'


def test_values_are_text_and_long_ones_open(running: OwnObservatory, new_page: NewPage) -> None:
    """Whatever they hold; at a phone's width nothing hangs over the edge."""
    hostile = "<img src=x onerror=alert(1)>" + "y" * 300
    page = new_page(width=360, height=780)
    page.goto(asking(f"select '{hostile}' as odd, map {{'<b>': 'c'}} as nested, null as nothing"))
    page.get_by_role("button", name=re.compile("^<img")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(hostile)
    accessible(page)
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("main img")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_past_questions_and_names_are_a_click_away(
    running: OwnObservatory, new_page: NewPage
) -> None:
    """What was asked is remembered over a reload; a column's name is written where the caret is."""
    page = new_page()
    page.goto(asking("select 41 + 1 as answer"))
    expect(page.locator("tbody td").first).to_have_text("42")
    page.goto("/ask")
    page.get_by_role("button", name="History").click()
    accessible(page)
    page.get_by_role("button", name="select 41 + 1 as answer").click()
    expect(page.locator("tbody td").first).to_have_text("42")
    field = page.get_by_label("SQL query")
    field.fill("select ")
    page.get_by_role("button", name="Insert duration_ms").click()
    expect(field).to_have_value("select duration_ms")
