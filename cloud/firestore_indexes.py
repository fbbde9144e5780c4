"""Which index a query needs, by the rules that Firestore documents, and whether it is there.

The emulator answers every query without one (firebase-tools#2027), so that a query that lacks its
index is found in production. Pure: texts of queries go in, as `db.query.text` has them, and what
firestore.indexes.json says.

The rules: https://firebase.google.com/docs/firestore/query-data/index-overview. Equalities alone,
`in` and array-contains among them, are answered from the fields' own indexes, which are merged; so
is one field's range or order. An order or a range beside anything else takes a composite index: the
fields that are equal, in any order, then those of the order, in that order and direction. Composite
indexes that end in the same order are merged too. Each alternative of an `or` takes its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ID = "__name__"
EQUALITIES = frozenset({"==", "in"})
ARRAYS = frozenset({"array-contains", "array-contains-any"})

_WORD = re.compile(r"(?:`(?:\\.|[^`\\])*`|[^\s,`])+")
_DIRECTIONS = {"ASCENDING": "asc", "DESCENDING": "desc"}


class Unreadable(Exception):
    """The text is not the text of a query."""


@dataclass(frozen=True)
class Query:
    """What a query asks for: alternatives of filters, each a field and an operator, and orderings,
    each a field and "asc" or "desc"."""

    collection: str
    is_group: bool
    alternatives: tuple[tuple[tuple[str, str], ...], ...]
    orderings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Index:
    """An index that a query needs: the fields that it holds equal, and those that it orders by."""

    collection: str
    is_group: bool
    equal: frozenset[str]
    arrays: frozenset[str]
    orderings: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        fields = [
            *sorted(self.equal),
            *(f"{field} array" for field in sorted(self.arrays)),
            *(f"{field} {direction}" for field, direction in self.orderings),
        ]
        scope = "group " if self.is_group else ""
        return f"{scope}{self.collection} ({', '.join(fields)})"


def missing(text: str, indexes: Mapping[str, Any]) -> list[Index]:
    """Return the indexes that a query needs and firestore.indexes.json, parsed, lacks.

    Raises:
        Unreadable: the text is not the text of a query.
    """
    return [index for index in needed(read(text)) if not _is_there(index, indexes)]


def read(text: str) -> Query:
    """Parse the text of a query.

    Raises:
        Unreadable: the text is not the text of a query.
    """
    words = _WORD.findall(text)
    is_group = words[:1] == ["group"] and words[1:2] not in ([], ["where"], ["order"], ["limit"])
    at = int(is_group)
    try:
        collection, at = words[at], at + 1
        alternatives: list[list[tuple[str, str]]] = [[]]
        while at < len(words) and words[at] in ("where", "and", "or"):
            if words[at] == "or":
                alternatives.append([])
            field, operator, _ = words[at + 1 : at + 4]
            alternatives[-1].append((field, operator))
            at += 4
        orderings = []
        if words[at : at + 2] == ["order", "by"]:
            at += 2
            while at < len(words) and words[at] != "limit":
                field, direction = words[at : at + 2]
                orderings.append((field, direction))
                at += 2
    except (IndexError, ValueError):
        raise Unreadable(f"{text!r} is no query's text") from None
    if words[at:] not in ([], ["limit", "?"]):
        raise Unreadable(f"{text!r} is no query's text")
    return Query(collection, is_group, tuple(map(tuple, alternatives)), tuple(orderings))


def needed(query: Query) -> Iterator[Index]:
    """Yield every index that a query needs, including those that Firestore keeps for each field."""
    for filters in query.alternatives:
        equal = {field for field, operator in filters if operator in EQUALITIES} - {ID}
        arrays = {field for field, operator in filters if operator in ARRAYS}
        ranges = {field for field, operator in filters} - equal - arrays - {ID}
        orderings = list(_without_own_id(_ordered(query.orderings, equal, ranges)))
        if orderings and (equal or arrays or len(orderings) > 1):
            parts: Iterable[tuple[set[str], set[str]]] = [(equal, arrays)]
        else:
            parts = [({field}, set()) for field in equal] + [(set(), {field}) for field in arrays]
            parts = parts or ([(set(), set())] if orderings else [])
        for part, array in parts:
            yield Index(
                query.collection,
                query.is_group,
                frozenset(part),
                frozenset(array),
                tuple(orderings),
            )


def _ordered(
    orderings: Sequence[tuple[str, str]], equal: set[str], ranges: set[str]
) -> list[tuple[str, str]]:
    """Return the complete order. Firestore adds the fields that have a range and are not ordered
    by, sorted by name, in the direction of the last explicit ordering."""
    explicit = [(field, direction) for field, direction in orderings if field not in equal]
    last = explicit[-1][1] if explicit else "asc"
    implicit = sorted(ranges - {field for field, _ in explicit})
    at = next((n for n, (field, _) in enumerate(explicit) if field == ID), len(explicit))
    return [*explicit[:at], *((field, last) for field in implicit), *explicit[at:]]


def _without_own_id(orderings: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The order without the id at its end, which every index has, in its last direction."""
    if orderings and orderings[-1][0] == ID:
        before = orderings[-2][1] if len(orderings) > 1 else "asc"
        return orderings[:-1] if orderings[-1][1] == before else orderings
    return orderings


def _is_there(index: Index, indexes: Mapping[str, Any]) -> bool:
    wanted = set(index.equal) | {_array(field) for field in index.arrays}
    if len(wanted) + len(index.orderings) == 1:
        return _field_has_its_own(index, indexes.get("fieldOverrides", []))
    # Indexes that end in this order are merged until they hold every field that is equal.
    merged = [
        before
        for one in indexes.get("indexes", [])
        if one["collectionGroup"] == index.collection and _is_group(one) == index.is_group
        for before, order in [_split(one["fields"], len(index.orderings))]
        if order == index.orderings and before <= wanted
    ]
    return bool(merged) and set().union(*merged) == wanted


def _split(
    fields: Sequence[Mapping[str, str]], orderings: int
) -> tuple[set[str], tuple[tuple[str, str], ...]]:
    """An index's fields, taken for those that are equal and so many that it orders by."""
    columns = [
        (field["fieldPath"], _DIRECTIONS.get(field.get("order", ""), "")) for field in fields
    ]
    columns = list(_without_own_id(columns))
    at = len(columns) - orderings
    before = {field if direction else _array(field) for field, direction in columns[:at]}
    return before, tuple(columns[at:])


def _field_has_its_own(index: Index, overrides: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a single field is indexed: by itself it is, but not for groups of collections."""
    (field,) = [*index.equal, *index.arrays, *(field for field, _ in index.orderings)]
    about = [
        override
        for override in overrides
        if override["collectionGroup"] == index.collection
        and (field == override["fieldPath"] or field.startswith(f"{override['fieldPath']}."))
    ]
    if not about:
        return not index.is_group or field == ID
    directions = {direction for _, direction in index.orderings}
    return any(
        _is_group(one) == index.is_group
        and ("arrayConfig" in one if index.arrays else "order" in one)
        and (not directions or _DIRECTIONS.get(one.get("order", "")) in directions)
        for one in max(about, key=lambda override: len(override["fieldPath"]))["indexes"]
    )


def _is_group(index: Mapping[str, Any]) -> bool:
    return bool(index.get("queryScope") == "COLLECTION_GROUP")


def _array(field: str) -> str:
    return f"{field} array"
