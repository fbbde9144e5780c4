"""Tests of the computation of the indexes that a query needs by Firestore's rules."""

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
    """Return a composite index in the file's format, of fields such as "uid asc", "tags array"."""
    return {
        "collectionGroup": collection,
        "queryScope": "COLLECTION_GROUP" if group else "COLLECTION",
        "fields": [{"fieldPath": field.split()[0], **KINDS[field.split()[1]]} for field in fields],
    }


def missing_with(text: str, *indexes: dict[str, Any]) -> list[str]:
    """Return the indexes that a query lacks if only `indexes` exist."""
    return [str(each) for each in missing(text, {"indexes": list(indexes)})]


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
def test_these_queries_need_only_single_field_indexes(text: str) -> None:
    """Equalities are merged, and one field may have a range or an order."""
    assert missing_with(text) == []


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
def test_these_queries_need_a_composite_index(text: str, wanted: str) -> None:
    """A range or an order beside another field, and any filter on a collection group."""
    assert missing_with(text) == [wanted]


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
def test_a_sufficient_index_is_found(text: str, indexes: list[dict[str, Any]]) -> None:
    """Equality fields match in any order, ordered fields in theirs; several indexes are merged."""
    assert missing_with(text, *indexes) == []


@pytest.mark.parametrize(
    "similar",
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
def test_a_similar_index_is_not_sufficient(similar: dict[str, Any]) -> None:
    """It has another direction, order, kind, collection or scope, or additional fields."""
    query = "orders where uid == ? order by at desc"
    assert missing_with(query, similar) == ["orders (uid, at desc)"]


def override(
    field: str, *indexes: str, collection: str = "comments", group: bool = False
) -> dict[str, Any]:
    """Return a field override in the file's format, with indexes "asc", "desc" or "array"."""
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
    """The most specific override applies: a field's, its map's, then `*` of the collection."""
    assert [str(each) for each in missing(text, {"fieldOverrides": overrides})] == wanted


def test_a_composite_index_answers_equalities_on_a_field_without_its_own_index() -> None:
    """It holds both fields, so neither single-field index is used."""
    exempt = override("a", collection="items")
    query = "items where a == ? and b == ?"
    both = index("a asc", "b asc", collection="items")
    assert missing(query, {"indexes": [both], "fieldOverrides": [exempt]}) == []
    (missing_index,) = missing(query, {"fieldOverrides": [exempt]})
    assert str(missing_index) == "items (a, b)"


def test_equalities_in_a_group_need_one_composite_index() -> None:
    """One index of both fields, as Firestore's own error suggests."""
    query = "group items where a == ? and b == ?"
    assert missing_with(query) == ["group items (a, b)"]
    assert missing_with(query, index("a asc", "b asc", collection="items", group=True)) == []
    assert missing_with(query, index("a asc", "b asc", collection="items")) == [
        "group items (a, b)"
    ]


def test_descending_ids_need_an_index() -> None:
    """The automatic index of `__name__` is ascending only."""
    query = "debug order by __name__ desc"
    assert missing_with(query) == ["debug (__name__ desc)"]
    assert missing_with("debug where __name__ > ? order by __name__ desc") == [
        "debug (__name__ desc)"
    ]
    assert missing_with(query, index("__name__ desc", collection="debug")) == []


@pytest.mark.parametrize(
    "text",
    ["", "orders where", "orders where uid ==", "orders order by at", "orders limit", "orders uid"],
)
def test_a_text_that_is_not_a_query_is_rejected(text: str) -> None:
    """It is not taken for a query that needs no index."""
    with pytest.raises(Unreadable, match="is not a query"):
        read(text)


@given(st.text())
def test_no_text_raises_anything_but_unreadable(text: str) -> None:
    with contextlib.suppress(Unreadable):
        list(needed(read(text)))


def test_every_index_of_our_file_is_of_a_supported_kind() -> None:
    for composite in json.loads(FILE.read_text())["indexes"]:
        assert firestore_indexes._split(composite["fields"], 1)[1][0][1] in ("asc", "desc")
