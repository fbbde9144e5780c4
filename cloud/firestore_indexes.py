"""Computes which indexes a query needs, and whether firestore.indexes.json has them.

The emulator answers a query even if its index is missing (firebase-tools#2027), so such a query
first fails in production. This module is pure: its input is the text of a query, in the format of
the attribute `db.query.text`, and the parsed firestore.indexes.json.

Rules: https://firebase.google.com/docs/firestore/query-data/index-overview
- Firestore indexes every field by itself, in both directions and for array-contains, within a
  collection but not for collection groups. Field overrides change that: for a field and the fields
  within it, or with the path `*` for all other fields of a collection.
- Equality filters (`in` and array-contains included) are answered by merging single-field and
  composite indexes that together hold every field of the filters.
- A range or an order beside other fields needs composite indexes: the equality fields in any order,
  then the ordered fields in the query's order and directions.
- Every index ends in `__name__`, in the direction of its last field. Alone, `__name__` is indexed
  ascending only.
- Each alternative of an `or` needs its own indexes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

ID = "__name__"
EQUALITIES = frozenset({"==", "in"})
ARRAYS = frozenset({"array-contains", "array-contains-any"})

_WORD = re.compile(r"(?:`(?:\\.|[^`\\])*`|[^\s,`])+")
_DIRECTIONS = {"ASCENDING": "asc", "DESCENDING": "desc"}


# Path and collection group of an override that sets the default for all fields.
ANY_FIELD = "*"
ANY_COLLECTION = "__default__"


class Unreadable(Exception):
    """The text is not a query."""


@dataclass(frozen=True)
class Query:
    """Alternatives of filters (field, operator), and orderings (field, "asc" or "desc")."""

    collection: str
    is_group: bool
    alternatives: tuple[tuple[tuple[str, str], ...], ...]
    orderings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Index:
    """An index that answers a query by itself: its equality fields, array fields and orderings."""

    collection: str
    is_group: bool
    equal: frozenset[str]
    arrays: frozenset[str]
    orderings: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        fields = [
            *sorted(self.equal),
            *(_array(field) for field in sorted(self.arrays)),
            *(f"{field} {direction}" for field, direction in self.orderings),
        ]
        scope = "group " if self.is_group else ""
        return f"{scope}{self.collection} ({', '.join(fields)})"


def missing(text: str, indexes: Mapping[str, Any]) -> list[Index]:
    """Return the indexes that a query needs and the parsed firestore.indexes.json lacks.

    Raises:
        Unreadable: the text is not a query.
    """
    return [index for index in needed(read(text)) if not _is_answered(index, indexes)]


def read(text: str) -> Query:
    """Parse the text of a query.

    Raises:
        Unreadable: the text is not a query.
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
        raise Unreadable(f"{text!r} is not a query") from None
    if words[at:] not in ([], ["limit", "?"]):
        raise Unreadable(f"{text!r} is not a query")
    return Query(collection, is_group, tuple(map(tuple, alternatives)), tuple(orderings))


def needed(query: Query) -> Iterator[Index]:
    """Yield for each alternative of a query the one index that would answer it."""
    for filters in query.alternatives:
        equal = {field for field, operator in filters if operator in EQUALITIES} - {ID}
        arrays = {field for field, operator in filters if operator in ARRAYS}
        ranges = {field for field, operator in filters} - equal - arrays - {ID}
        orderings = _without_final_id(_complete_order(query.orderings, equal, ranges))
        if equal or arrays or orderings:
            yield Index(
                query.collection,
                query.is_group,
                frozenset(equal),
                frozenset(arrays),
                tuple(orderings),
            )


def _complete_order(
    orderings: Sequence[tuple[str, str]], equal: set[str], ranges: set[str]
) -> list[tuple[str, str]]:
    """Return the orderings with those that Firestore adds.

    Fields with a range filter that the query does not order by follow by name, in the last
    direction of the query.
    """
    explicit = [(field, direction) for field, direction in orderings if field not in equal]
    direction = explicit[-1][1] if explicit else "asc"
    implied = sorted(ranges - {field for field, _ in explicit})
    at = next((n for n, (field, _) in enumerate(explicit) if field == ID), len(explicit))
    return [*explicit[:at], *((field, direction) for field in implied), *explicit[at:]]


def _without_final_id(orderings: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Drop a final `__name__` in the direction in which every index has it anyway."""
    if orderings and orderings[-1][0] == ID:
        implied = orderings[-2][1] if len(orderings) > 1 else "asc"
        return orderings[:-1] if orderings[-1][1] == implied else orderings
    return orderings


def _is_answered(index: Index, indexes: Mapping[str, Any]) -> bool:
    """Return whether the configured and automatic indexes, merged, can replace `index`."""
    wanted = set(index.equal) | {_array(field) for field in index.arrays}
    usable = [
        before
        for configured in indexes.get("indexes", [])
        if configured["collectionGroup"] == index.collection
        and _is_group(configured) == index.is_group
        for before, orderings in [_split(configured["fields"], len(index.orderings))]
        if orderings == index.orderings and before <= wanted
    ]
    has_own_index = partial(_has_own_index, index, indexes.get("fieldOverrides", []))
    if not index.orderings:
        usable += [{field} for field in index.equal if has_own_index(field)]
        usable += [{_array(field)} for field in index.arrays if has_own_index(field)]
    elif not wanted and len(index.orderings) == 1 and has_own_index(index.orderings[0][0]):
        return True
    return bool(usable) and set().union(*usable) == wanted


def _split(
    fields: Sequence[Mapping[str, str]], orderings: int
) -> tuple[set[str], tuple[tuple[str, str], ...]]:
    """Split a configured index into its equality fields and its last `orderings` fields."""
    listed = [(field["fieldPath"], _DIRECTIONS.get(field.get("order", ""), "")) for field in fields]
    listed = list(_without_final_id(listed))
    at = len(listed) - orderings
    before = {field if direction else _array(field) for field, direction in listed[: max(at, 0)]}
    return before, tuple(listed[max(at, 0) :])


def _has_own_index(index: Index, overrides: Sequence[Mapping[str, Any]], field: str) -> bool:
    """Return whether `field` has the single-field index that `index` uses of it."""
    directions = {direction for ordered, direction in index.orderings if ordered == field}
    if field == ID:
        return directions <= {"asc"}
    override = _override_for(index.collection, field, overrides)
    if override is None:
        return not index.is_group
    return any(
        _is_group(own) == index.is_group
        and ("arrayConfig" in own if field in index.arrays else "order" in own)
        and (not directions or _DIRECTIONS.get(own.get("order", "")) in directions)
        for own in override["indexes"]
    )


def _override_for(
    collection: str, field: str, overrides: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the most specific override that covers `field`."""

    def specificity(override: Mapping[str, Any]) -> int:
        group, path = override["collectionGroup"], override["fieldPath"]
        if path == ANY_FIELD:
            return {collection: 2, ANY_COLLECTION: 1}.get(group, 0)
        covers = group == collection and (field == path or field.startswith(f"{path}."))
        return 2 + len(path) if covers else 0

    best = max(overrides, key=specificity, default=None)
    return best if best is not None and specificity(best) else None


def _is_group(index: Mapping[str, Any]) -> bool:
    return bool(index.get("queryScope") == "COLLECTION_GROUP")


def _array(field: str) -> str:
    return f"{field} array"
