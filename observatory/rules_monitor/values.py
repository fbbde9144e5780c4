"""Values and operators of the rules language, as Firestore emulator 1.19.9 implements them.

Where Python differs: numbers are 64-bit integers or doubles, and a bool is not a number.
``1 == 1.0`` is true, also for the items of a set and for the values of a map diff, but within lists
and maps an integer and a double differ. Strings are counted and ordered by UTF-16 code units.

Two exceptions: ``Failed`` where the rules engine itself fails, ``Unknown`` where this module cannot
tell what the rules engine does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from observatory.rules_monitor.typed import Opaque, Path, Timestamp

INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class Failed(Exception):
    """The rules engine fails to evaluate the expression."""


class Unknown(Exception):
    """The value of the expression cannot be known here."""


class RulesSet:
    """A ``rules.Set``: unordered, without duplicates."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = {_identity_in_set(item): item for item in items}

    def __contains__(self, item: Any) -> bool:
        return _identity_in_set(item) in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def identities(self) -> frozenset[Hashable]:
        """Return the keys by which the items are compared."""
        return frozenset(self._items)

    def where(self, keep: Callable[[Hashable], bool]) -> RulesSet:
        """Return the items whose identity ``keep`` accepts."""
        return RulesSet(item for key, item in self._items.items() if keep(key))


class MapDiff:
    """The result of ``map.diff(other)``: the keys that were added, removed, changed and so on."""

    def __init__(self, new: dict[str, Any], old: dict[str, Any]) -> None:
        both = new.keys() & old.keys()
        changed = {key for key in both if not equal(new[key], old[key])}
        self.keys = {
            "addedKeys": new.keys() - old.keys(),
            "removedKeys": old.keys() - new.keys(),
            "changedKeys": changed,
            "unchangedKeys": both - changed,
            "affectedKeys": (new.keys() ^ old.keys()) | changed,
        }


def known(value: Any) -> Any:
    """Return ``value``.

    Raises:
        Unknown: only its kind is known.
    """
    if isinstance(value, Opaque):
        raise Unknown(value.kind)
    return value


def identity(value: Any) -> Hashable:
    """Return a key that two values share exactly if they are the same item of a list.

    Raises:
        Unknown: the value, or one within it, is known only by its kind.
    """
    match known(value):
        case float() if math.isnan(value):
            return object()  # NaN differs from everything
        case list():
            return ("list", tuple(identity(item) for item in value))
        case dict():
            return ("map", frozenset((key, identity(item)) for key, item in value.items()))
        case RulesSet():
            return ("set", value.identities())
        case MapDiff():
            raise Unknown("a comparison of map diffs")
    return (type(value).__name__, value)


def equal(left: Any, right: Any) -> bool:
    """Return ``left == right``: numbers compare by value, whatever their types."""
    return _identity_in_set(left) == _identity_in_set(right)


def _identity_in_set(value: Any) -> Hashable:
    # Python's numbers hash and compare by value, exactly. NaN is handled by `identity`.
    if is_number(known(value)) and not math.isnan(value):
        return ("number", value)
    return identity(value)


def member(value: Any, key: Any) -> Any:
    """Return ``value.key`` or ``value[key]``."""
    known(key)
    match known(value):
        case dict() if isinstance(key, str):
            if key not in value:
                raise Failed(key)
            return value[key]
        case list() | str() if is_int(key):
            return _item(value, key)
        case Path(segments=segments) if is_int(key):
            return _item(segments, key)
        case Path() | Timestamp():
            raise Unknown(key)
    raise Failed(key)


def part(value: Any, first: Any, end: Any) -> Any:
    """Return ``value[first:end]``, with ``end`` None up to the last item."""
    if not isinstance(known(value), list | str):
        raise Failed("a range of something else")
    length = _length(value)
    end = length if end is None else known(end)
    if not (is_int(known(first)) and is_int(end) and 0 <= first <= end <= length):
        raise Failed("a range out of bounds")
    return value[first:end]


def binary(operator: str, left: Any, right: Any) -> Any:
    """Return ``left operator right``; the right operand of ``is`` is the name of a type."""
    if operator in ("==", "!="):
        return equal(left, right) == (operator == "==")
    known(left), known(right)
    if operator == "is":
        return _is(left, right)
    if operator == "in":
        return _contains(right, left)
    if operator in _ORDER:
        if not (_both(left, right, str) or _both(left, right, Timestamp)) and not (
            is_number(left) and is_number(right)
        ):
            raise Failed(operator)
        if isinstance(left, str):
            left, right = _utf_16(left), _utf_16(right)
        return _ORDER[operator](left, right)
    if operator == "+" and _both(left, right, str):
        return left + right
    if is_number(left) and is_number(right):
        return _arithmetic(operator, left, right)
    if isinstance(left, Timestamp) or isinstance(right, Timestamp):
        raise Unknown(operator)  # times and durations
    raise Failed(operator)


def unary(operator: str, value: Any) -> Any:
    """Return ``!value`` or ``-value``."""
    known(value)
    if operator == "!" and isinstance(value, bool):
        return not value
    if operator == "-" and is_number(value):
        return _within_64_bits(-value)
    raise Failed(operator)


def size_of_text(text: str) -> int:
    """Return the length of a string in UTF-16 code units."""
    return len(_utf_16(text)) // 2


def is_int(value: Any) -> bool:
    """Return whether a value is an integer of the rules language."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Return whether a value is a number of the rules language."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _item(items: Any, index: int) -> Any:
    if not 0 <= index < _length(items):
        raise Failed(index)
    return items[index]


def _length(items: Any) -> int:
    """Return the number of items, or of characters, where the two languages count alike."""
    if isinstance(items, str) and any(character > "\uffff" for character in items):
        raise Unknown("the length of a string with characters outside the basic plane")
    return len(items)


def _contains(container: Any, item: Any) -> bool:
    match container:
        case dict():
            if not isinstance(item, str):
                raise Failed("in")
            return item in container
        case RulesSet():
            return item in container
        case list():
            return identity(item) in {identity(each) for each in container}
    raise Failed("in")


def _arithmetic(operator: str, left: Any, right: Any) -> Any:
    if isinstance(left, float) or isinstance(right, float):
        if right == 0 and operator in ("/", "%"):
            raise Unknown("a division by zero")
        if operator == "%":
            return math.fmod(left, right)
    elif operator in ("/", "%"):
        if right == 0:
            raise Failed("a division by zero")
        # Truncates toward zero, where Python rounds down.
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return _within_64_bits(quotient if operator == "/" else left - quotient * right)
    try:
        return _within_64_bits(_ARITHMETIC[operator](left, right))
    except OverflowError:
        raise Unknown(operator) from None


def _within_64_bits(value: Any) -> Any:
    if is_int(value) and not INT_MIN <= value <= INT_MAX:
        raise Failed("an integer beyond 64 bits")
    return value


def _utf_16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _is(value: Any, kind: str) -> bool:
    if kind not in _KINDS:
        raise Unknown(kind)
    return _KINDS[kind](value)


def _both(left: Any, right: Any, kind: type) -> bool:
    return isinstance(left, kind) and isinstance(right, kind)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}
_KINDS: dict[str, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "bytes": lambda value: isinstance(value, bytes),
    "int": is_int,
    "float": lambda value: isinstance(value, float),
    "number": is_number,
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "map_diff": lambda value: isinstance(value, MapDiff),
    "path": lambda value: isinstance(value, Path),
    "timestamp": lambda value: isinstance(value, Timestamp),
}
