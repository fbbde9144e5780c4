"""The functions and methods of the rules language that conditions commonly use.

Reference: https://firebase.google.com/docs/reference/rules. Anything else is ``Unknown``, never
approximated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import re2

from observatory.rules_monitor.typed import Timestamp
from observatory.rules_monitor.values import (
    Failed,
    MapDiff,
    RulesSet,
    Unknown,
    identity,
    is_number,
    known,
    size_of_text,
)


def call(name: str, arguments: list[Any]) -> Any:
    """Return ``name(*arguments)`` for a function that the language defines."""
    if name == "debug" and len(arguments) == 1:
        return arguments[0]  # prints its argument to the emulator's log
    raise Unknown(name)


def call_in_namespace(namespace: str, name: str, arguments: list[Any]) -> Any:
    """Return ``namespace.name(*arguments)``, such as ``math.abs(-1)``."""
    function = _FUNCTIONS.get((namespace, name))
    if function is None or len(arguments) != 1 or not is_number(known(arguments[0])):
        raise Unknown(f"{namespace}.{name}")
    return function(arguments[0])


def call_method(target: Any, name: str, arguments: list[Any]) -> Any:
    """Return ``target.name(*arguments)``."""
    if known(target) is None or isinstance(target, bool | int | float):
        raise Failed(name)  # they have no methods
    for kind, methods in _METHODS:
        if isinstance(target, kind) and name in methods:
            try:
                return methods[name](target, *(known(argument) for argument in arguments))
            except (TypeError, AttributeError, ValueError):
                raise Unknown(name) from None
    raise Unknown(name)


def _matches(text: str, pattern: str) -> bool:
    if not isinstance(pattern, str):
        raise Failed("a pattern that is not a string")
    try:
        return _compiled(pattern).fullmatch(text) is not None
    except re2.error:
        raise Unknown(pattern) from None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def _ascii_only(change: Callable[[str], str]) -> Callable[[str], str]:
    """Refuse text in which languages disagree on letters and spaces."""

    def changed(text: str) -> str:
        if not text.isascii():
            raise Unknown("text beyond ASCII")
        return change(text)

    return changed


def _get(fields: dict[str, Any], key: Any, default: Any) -> Any:
    """Return the value of a key, or of a list of keys into nested maps."""
    keys = key if isinstance(key, list) else [key]
    if not keys:
        raise Unknown("get without a key")
    value: Any = fields
    for each in keys:
        if not isinstance(each, str):
            raise Failed("a key that is not a string")
        if not isinstance(known(value), dict) or each not in value:
            return default
        value = value[each]
    return value


Compare = Callable[[frozenset[Any], frozenset[Any]], bool]


def _compare_lists(decide: Compare) -> Callable[..., bool]:
    def compare(items: list[Any], others: Any) -> bool:
        if not isinstance(others, list):
            raise Failed("a comparison of a list with something else")
        return decide(frozenset(map(identity, items)), frozenset(map(identity, others)))

    return compare


def _compare_sets(decide: Compare) -> Callable[..., bool]:
    def compare(items: RulesSet, others: Any) -> bool:
        return decide(items.identities(), _as_set(others).identities())

    return compare


def _as_set(items: Any) -> RulesSet:
    if not isinstance(items, list | RulesSet):
        raise Unknown("a set operation on something else")
    return items if isinstance(items, RulesSet) else RulesSet(items)


def _without(items: list[Any], others: Any) -> list[Any]:
    if not isinstance(others, list):
        raise Unknown("removeAll of something else")
    removed = set(map(identity, others))
    return [item for item in items if identity(item) not in removed]


def _diff(new: dict[str, Any], old: Any) -> MapDiff:
    if not isinstance(old, dict):
        raise Failed("diff with something else")
    return MapDiff(new, old)


def _keys_of_diff(name: str) -> Callable[[MapDiff], RulesSet]:
    return lambda diff: RulesSet(diff.keys[name])


def _calendar(part: Callable[[datetime], int]) -> Callable[[Timestamp], int]:
    return lambda time: part(datetime.fromtimestamp(time.unix_nano // 10**9, UTC))


_COMPARISONS: dict[str, Compare] = {
    "hasAll": lambda items, others: items >= others,
    "hasAny": lambda items, others: bool(items & others),
    "hasOnly": lambda items, others: items <= others,
}
_SETS: dict[str, Callable[..., Any]] = {
    **{name: _compare_sets(decide) for name, decide in _COMPARISONS.items()},
    "size": len,
    "difference": lambda items, other: items.where(
        lambda key: key not in _as_set(other).identities()
    ),
    "intersection": lambda items, other: items.where(
        lambda key: key in _as_set(other).identities()
    ),
    "union": lambda items, other: RulesSet([*items, *_as_set(other)]),
}
_METHODS: tuple[tuple[type, dict[str, Callable[..., Any]]], ...] = (
    (
        dict,
        {
            "diff": _diff,
            "get": _get,
            "keys": sorted,
            "size": len,
            "values": lambda fields: list(fields.values()),
        },
    ),
    (
        MapDiff,
        {
            name: _keys_of_diff(name)
            for name in ("addedKeys", "affectedKeys", "changedKeys", "removedKeys", "unchangedKeys")
        },
    ),
    (RulesSet, _SETS),
    (
        list,
        {
            **{name: _compare_lists(decide) for name, decide in _COMPARISONS.items()},
            "concat": lambda items, other: items + other,
            "removeAll": _without,
            "size": len,
            "toSet": RulesSet,
        },
    ),
    (
        str,
        {
            "lower": _ascii_only(str.lower),
            "matches": _matches,
            "size": size_of_text,
            "upper": _ascii_only(str.upper),
        },
    ),
    (bytes, {"size": len}),
    (
        Timestamp,
        {
            "day": _calendar(lambda time: time.day),
            "dayOfWeek": _calendar(datetime.isoweekday),
            "dayOfYear": _calendar(lambda time: time.timetuple().tm_yday),
            "hours": _calendar(lambda time: time.hour),
            "minutes": _calendar(lambda time: time.minute),
            "month": _calendar(lambda time: time.month),
            "nanos": lambda time: time.unix_nano % 10**9,
            "seconds": _calendar(lambda time: time.second),
            "toMillis": lambda time: time.unix_nano // 1_000_000,
            "year": _calendar(lambda time: time.year),
        },
    ),
)
_FUNCTIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("math", "abs"): abs,
    ("math", "isNaN"): math.isnan,
}
