"""Which indexes a query needs by Firestore's rules, and that the file has those of our queries."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud import firestore_indexes
from cloud.firestore_indexes import Unreadable, missing, needed, read

FILE = Path(__file__).parents[3] / "rules" / "firestore.indexes.json"
KINDS = {
    "asc": {"order": "ASCENDING"},
    "desc": {"order": "DESCENDING"},
    "array": {"arrayConfig": "CONTAINS"},
}


def index(*fields: str, collection: str = "orders", group: bool = False) -> dict[str, Any]:
    """A composite index as the file has it, of fields such as "uid asc" and "tags array"."""
    return {
        "collectionGroup": collection,
        "queryScope": "COLLECTION_GROUP" if group else "COLLECTION",
        "fields": [{"fieldPath": field.split()[0], **KINDS[field.split()[1]]} for field in fields],
    }


def lacks(text: str, *indexes: dict[str, Any]) -> list[str]:
    """The indexes that a query lacks where there are only these."""
    return [str(one) for one in missing(text, {"indexes": list(indexes)})]


@pytest.mark.parametrize(
    "text",
    [
        "orders",
        "orders limit ?",
        "orders where uid == ?",
        "orders where uid == ? and state in ? and show_id == ?",
        "orders where tags array-contains ? and uid == ?",
        "orders where uid == ? or state == ? and show_id == ?",
        "orders order by placed_at desc limit ?",
        "orders where placed_at < ?",
        "orders where placed_at < ? and placed_at > ? order by placed_at desc",
        "orders where placed_at > ? order by placed_at asc, __name__ asc",
        "orders order by __name__ asc",
        "orders where __name__ == ?",
        "orders where uid == ? order by uid asc",
        "orders where deleted_at == null",
    ],
)
def test_a_single_fields_own_index_answers(text: str) -> None:
    """Equalities are merged, and one field may have a range or an order."""
    assert lacks(text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("orders where uid == ? order by placed_at desc", "orders (uid, placed_at desc)"),
        ("orders where uid == ? and placed_at < ?", "orders (uid, placed_at asc)"),
        ("orders where state in ? and placed_at < ?", "orders (state, placed_at asc)"),
        ("orders where uid == ? and state != ?", "orders (uid, state asc)"),
        ("orders where uid == ? and state not-in ?", "orders (uid, state asc)"),
        ("orders order by state asc, placed_at desc", "orders (state asc, placed_at desc)"),
        ("orders where a > ? order by b desc", "orders (b desc, a desc)"),
        ("orders where b > ? and a < ?", "orders (a asc, b asc)"),
        (
            "orders where tags array-contains-any ? order by placed_at asc",
            "orders (tags array, placed_at asc)",
        ),
        (
            "orders where uid == ? order by placed_at desc, __name__ asc",
            "orders (uid, placed_at desc, __name__ asc)",
        ),
        ("orders where a == ? and b > ? or uid == ?", "orders (a, b asc)"),
        ("group tickets where uid == ?", "group tickets (uid)"),
    ],
)
def test_what_goes_beyond_takes_an_index(text: str, wanted: str) -> None:
    """A range or an order beside anything else, and all that is asked of a group."""
    assert lacks(text) == [wanted]


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("orders where uid == ? order by at desc", [index("uid asc", "at desc")]),
        ("orders where uid == ? order by at desc", [index("uid desc", "at desc")]),
        ("orders where b == ? and a == ? order by at desc", [index("a asc", "b asc", "at desc")]),
        (
            "orders where b == ? and a == ? order by at desc",
            [index("a asc", "at desc"), index("b asc", "at desc")],
        ),
        (
            "orders where tags array-contains ? order by at asc",
            [index("tags array", "at asc", "__name__ asc")],
        ),
        ("orders order by a asc, b desc", [index("a asc", "b desc")]),
        (
            "group orders where uid == ? order by at asc",
            [index("uid asc", "at asc", group=True)],
        ),
    ],
)
def test_an_index_that_answers_is_found(text: str, indexes: list[dict[str, Any]]) -> None:
    """Equal fields in any order, what is ordered in its own; and several are merged."""
    assert lacks(text, *indexes) == []


@pytest.mark.parametrize(
    "one",
    [
        index("uid asc", "at asc"),
        index("at desc", "uid asc"),
        index("uid asc", "show_id asc", "at desc"),
        index("uid array", "at desc"),
        index("uid asc", "at desc", collection="tickets"),
        index("uid asc", "at desc", group=True),
        index("uid asc"),
    ],
    ids=str,
)
def test_an_index_that_only_looks_like_it_is_not(one: dict[str, Any]) -> None:
    """Another direction, order, kind, collection or scope, or fields that are not asked for."""
    assert lacks("orders where uid == ? order by at desc", one) == ["orders (uid, at desc)"]


def override(
    field: str, *indexes: str, collection: str = "comments", group: bool = False
) -> dict[str, Any]:
    """A field override as the file has it, with indexes such as "asc", "desc" and "array"."""
    return {
        "collectionGroup": collection,
        "fieldPath": field,
        "indexes": [
            {**KINDS[kind], "queryScope": "COLLECTION_GROUP" if group else "COLLECTION"}
            for kind in indexes
        ],
    }


@pytest.mark.parametrize(
    ("text", "overrides", "wanted"),
    [
        ("comments where author == ?", [override("author")], ["comments (author)"]),
        ("comments where author.uid == ?", [override("author")], ["comments (author.uid)"]),
        ("comments where authority == ?", [override("author")], []),
        ("comments where author == ?", [override("author", collection="orders")], []),
        ("comments where author == ?", [override("*")], ["comments (author)"]),
        (
            "comments where author == ?",
            [override("*", collection="__default__")],
            ["comments (author)"],
        ),
        ("comments where author == ?", [override("*"), override("author", "asc")], []),
        ("comments where author == ?", [override("author", "asc"), override("*")], []),
        (
            "comments where author == ?",
            [override("*", "asc"), override("*", collection="__default__")],
            [],
        ),
        ("comments order by at desc", [override("*", "asc")], ["comments (at desc)"]),
        ("comments where tags array-contains ?", [override("*", "asc")], ["comments (tags array)"]),
        ("comments where tags array-contains ?", [override("*", "array")], []),
        ("group comments where author == ?", [], ["group comments (author)"]),
        ("group comments where author == ?", [override("*", "asc", group=True)], []),
        ("group comments where author == ?", [override("author", "asc", group=True)], []),
        ("group comments where author == ?", [override("*", "asc")], ["group comments (author)"]),
        (
            "comments where author == ?",
            [override("*", "asc", group=True)],
            ["comments (author)"],
        ),
        (
            "group comments where a == ? and b == ?",
            [override("a", "asc", group=True), override("b", "asc", group=True)],
            [],
        ),
        ("comments order by __name__ asc", [override("*")], []),
    ],
)
def test_field_overrides_replace_the_automatic_indexes(
    text: str, overrides: list[dict[str, Any]], wanted: list[str]
) -> None:
    """The most specific override counts: a field's, its map's, then `*` of the collection."""
    assert [str(one) for one in missing(text, {"fieldOverrides": overrides})] == wanted


def test_a_composite_index_answers_equalities_on_a_field_without_its_own_index() -> None:
    """It holds both fields, so neither single-field index is used."""
    exempt = override("a", collection="items")
    query = "items where a == ? and b == ?"
    both = index("a asc", "b asc", collection="items")
    assert missing(query, {"indexes": [both], "fieldOverrides": [exempt]}) == []
    (lacking,) = missing(query, {"fieldOverrides": [exempt]})
    assert str(lacking) == "items (a, b)"


def test_equalities_in_a_group_need_one_composite_index() -> None:
    """One index of both fields, as Firestore's own error suggests."""
    query = "group items where a == ? and b == ?"
    assert lacks(query) == ["group items (a, b)"]
    assert lacks(query, index("a asc", "b asc", collection="items", group=True)) == []
    assert lacks(query, index("a asc", "b asc", collection="items")) == ["group items (a, b)"]


def test_descending_ids_need_an_index() -> None:
    """By itself `__name__` is indexed ascending only."""
    query = "debug order by __name__ desc"
    assert lacks(query) == ["debug (__name__ desc)"]
    assert lacks("debug where __name__ > ? order by __name__ desc") == ["debug (__name__ desc)"]
    assert lacks(query, index("__name__ desc", collection="debug")) == []


@pytest.mark.parametrize(
    "text",
    ["", "orders where", "orders where uid ==", "orders order by at", "orders limit", "orders uid"],
)
def test_a_text_that_is_not_a_query_is_refused(text: str) -> None:
    """It does not pass for a query that needs no index."""
    with pytest.raises(Unreadable, match="not the text of a query"):
        read(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises anything but Unreadable."""
    with contextlib.suppress(Unreadable):
        list(needed(read(text)))


def test_each_index_of_the_file_is_read() -> None:
    """So that none is there of a kind that the check does not know."""
    for one in json.loads(FILE.read_text())["indexes"]:
        assert firestore_indexes._split(one["fields"], 1)[1][0][1] in ("asc", "desc")
