"""Functions and methods of the rules language, those that conditions commonly use.

Reference: https://firebase.google.com/docs/reference/rules. Anything else is ``Unknown``, never
approximated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

from observatory.rules_monitor.typed import Path, Timestamp
from observatory.rules_monitor.values import (
    MapDiff,
    RulesSet,
    Unknown,
    is_number,
    known,
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
    known(target)
    for kind, methods in _METHODS:
        if isinstance(target, kind) and name in methods:
            try:
                return methods[name](target, *(known(argument) for argument in arguments))
            except (TypeError, AttributeError, ValueError):
                raise Unknown(name) from None
    raise Unknown(name)


def _matches(text: str, pattern: str) -> bool:
    if not isinstance(pattern, str):
        raise Unknown("a pattern that is not a string")
    try:
        return _compiled(pattern).fullmatch(text) is not None
    except re2.error:
        raise Unknown(pattern) from None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def _size_of_text(text: str) -> int:
    if not text.isascii():
        raise Unknown("size")
    return len(text)


def _get(fields: dict[str, Any], key: Any, default: Any) -> Any:
    """Return the value of a key, or of a list of keys into nested maps."""
    if not isinstance(key, list):
        key = [key]
    value: Any = fields
    if not key:
        raise Unknown("get")
    for each in key:
        if not isinstance(each, str):
            raise Unknown("get")
        if not isinstance(known(value), dict):
            raise Unknown("get")
        if each not in value:
            return default
        value = value[each]
    return value


def _as_set(items: Any) -> RulesSet:
    if not isinstance(items, list | RulesSet):
        raise Unknown("a set operation on something else")
    return items if isinstance(items, RulesSet) else RulesSet(items)


def _compare(decide: Callable[[frozenset[Any], frozenset[Any]], bool]) -> Callable[..., bool]:
    def compare(items: Any, wanted: Any) -> bool:
        return decide(_as_set(items).identities(), _as_set(wanted).identities())

    return compare


def _diff(new: dict[str, Any], old: Any) -> MapDiff:
    if not isinstance(old, dict):
        raise Unknown("diff")
    return MapDiff(new, old)


def _keys_of_diff(name: str) -> Callable[[MapDiff], RulesSet]:
    return lambda diff: RulesSet(diff.keys[name])


_COMPARISONS: dict[str, Callable[..., Any]] = {
    "hasAll": _compare(lambda items, wanted: items >= wanted),
    "hasAny": _compare(lambda items, wanted: bool(items & wanted)),
    "hasOnly": _compare(lambda items, wanted: items <= wanted),
    "size": len,
}
_SETS: dict[str, Callable[..., Any]] = {
    **_COMPARISONS,
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
            "keys": RulesSet,
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
    (list, {**_COMPARISONS, "concat": lambda items, other: items + other, "toSet": RulesSet}),
    (str, {"matches": _matches, "size": _size_of_text}),
    (bytes, {"size": len}),
    (Path, {}),
    (Timestamp, {"toMillis": lambda time: time.unix_nano // 1_000_000}),
)
_FUNCTIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("math", "abs"): abs,
    ("math", "isNaN"): math.isnan,
    ("math", "isInfinite"): math.isinf,
}
