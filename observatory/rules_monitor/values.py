"""What operators and methods of the rules' language do to values, for the common ones.

Two exceptions tell apart what the rules themselves would fail on and what is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from observatory.rules_monitor.typed import Opaque, Timestamp

# Python's regular expressions backtrack where RE2 doesn't: what could take long isn't tried.
_COSTLY = re.compile(r"\)[*+?{]|\(\?|\\[1-9pPCQ]")
MATCHED_MAX_CHARS = 2_000


class Failed(Exception):
    """The rules' evaluation fails here."""


class NotKnown(Exception):
    """What comes out is not known: a value or an operation that isn't understood."""


def known(value: Any) -> Any:
    """``value``, unless nothing but its kind is known of it."""
    if isinstance(value, Opaque):
        raise NotKnown(value.kind)
    return value


def member(value: Any, key: Any) -> Any:
    """``value.key`` or ``value[key]``."""
    match known(value):
        case dict() as fields if isinstance(key, str):
            if key not in fields:
                raise Failed(key)
            return fields[key]
        case list() as items if _is_int(key):
            if not 0 <= key < len(items):
                raise Failed(key)
            return items[key]
        case Timestamp():
            raise NotKnown(key)
    raise Failed(key)


def binary(operator: str, left: Any, right: Any) -> Any:
    """``left operator right``; ``is`` takes the type's name."""
    if operator in ("==", "!="):
        return _equal(left, right) == (operator == "==")
    known(left), known(right)
    if operator == "is":
        return _is(left, right)
    if operator == "in":
        if not isinstance(right, (list, dict, set)):
            raise Failed(operator)
        return any(_equal(left, item) for item in right)
    if operator in _ORDER:
        if not (_both(left, right, str) or _both(left, right, Timestamp)) and not (
            _is_number(left) and _is_number(right)
        ):
            raise Failed(operator)
        return _ORDER[operator](left, right)
    if operator == "+" and _both(left, right, str):
        return left + right
    # Integers divide and overflow in the rules' own way.
    if operator in ("+", "-", "*") and _is_int(left) and _is_int(right):
        return {"+": left + right, "-": left - right, "*": left * right}[operator]
    raise NotKnown(operator)


def negated(operator: str, value: Any) -> Any:
    """``!value`` or ``-value``."""
    known(value)
    if operator == "!" and isinstance(value, bool):
        return not value
    if operator == "-" and _is_number(value):
        return -value
    raise Failed(operator)


def method(target: Any, name: str, arguments: list[Any]) -> Any:
    """``target.name(*arguments)``."""
    for kind, methods in _METHODS:
        if isinstance(known(target), kind) and name in methods:
            try:
                return methods[name](target, *(known(argument) for argument in arguments))
            except (TypeError, AttributeError, ValueError):
                raise NotKnown(name) from None
    raise NotKnown(name)


def _equal(left: Any, right: Any) -> bool:
    known(left), known(right)
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)


def _is(value: Any, kind: str) -> bool:
    if kind not in _KINDS:
        raise NotKnown(kind)
    return _KINDS[kind](value)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _both(left: Any, right: Any, kind: type) -> bool:
    return isinstance(left, kind) and isinstance(right, kind)


def _matches(text: str, pattern: str) -> bool:
    if len(text) > MATCHED_MAX_CHARS or _COSTLY.search(pattern):
        raise NotKnown(pattern)
    try:
        return re.fullmatch(pattern, text, re.ASCII) is not None
    except re.error:
        raise NotKnown(pattern) from None


def _length(text: str) -> int:
    if not text.isascii():
        raise NotKnown("size")  # what counts as a character differs
    return len(text)


def _get(fields: dict[str, Any], key: Any, default: Any) -> Any:
    if not isinstance(key, str):
        raise NotKnown("get")  # a list is a path into nested maps
    return fields.get(key, default)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_KINDS: dict[str, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "int": _is_int,
    "float": lambda value: isinstance(value, float),
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "timestamp": lambda value: isinstance(value, Timestamp),
}
_SETS: dict[str, Callable[..., Any]] = {
    "hasAll": lambda items, wanted: set(items) >= set(wanted),
    "hasAny": lambda items, wanted: bool(set(items) & set(wanted)),
    "hasOnly": lambda items, wanted: set(items) <= set(wanted),
    "size": len,
}
_METHODS: tuple[tuple[type, dict[str, Callable[..., Any]]], ...] = (
    (
        dict,
        {
            "get": _get,
            "keys": set,
            "size": len,
            "values": lambda fields: list(fields.values()),
        },
    ),
    (set, _SETS),
    (list, {**_SETS, "toSet": set}),
    (str, {"matches": _matches, "size": _length}),
)
