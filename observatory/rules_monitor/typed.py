"""The emulator's typed values (``{"intValue": "2"}``) as Python's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


@dataclass(frozen=True)
class Opaque:
    """A value that is known only by its kind, such as bytes; also one not looked up ("undefined"),
    and one that is spelled as nothing we know."""

    kind: str


@dataclass(frozen=True, order=True)
class Timestamp:
    """A moment, in nanoseconds since 1970."""

    unix_nano: int


UNDEFINED = Opaque("undefined")


def value_of(typed: object) -> Any:
    """A typed value as None, bool, int, float, str, list, dict, ``Timestamp`` or ``Opaque``.

    Never raises for JSON, whatever its shape, but for nesting beyond Python's recursion limit.
    """
    if not isinstance(typed, dict) or len(typed) != 1:
        return UNDEFINED
    ((kind, inner),) = typed.items()
    try:
        return _READERS[kind](inner)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Opaque(str(kind))


def unix_nano(moment: object) -> int:
    """Nanoseconds since 1970 of an RFC 3339 moment in UTC.

    Raises:
        ValueError: it is something else.
    """
    found = _MOMENT.fullmatch(moment) if isinstance(moment, str) else None
    if found is None:
        raise ValueError("it is not a moment in UTC")
    seconds = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
    return int(seconds) * 1_000_000_000 + int((found[2] or "0").ljust(9, "0"))


def _same(kind: type) -> Any:
    def read(inner: Any) -> Any:
        if not isinstance(inner, kind):
            raise TypeError(kind)
        return inner

    return read


_READERS: dict[str, Any] = {
    "undefined": lambda _: UNDEFINED,
    "nullValue": lambda _: None,
    "boolValue": _same(bool),
    "intValue": int,
    "floatValue": float,
    "doubleValue": float,
    "stringValue": _same(str),
    "timestampValue": lambda inner: Timestamp(unix_nano(inner)),
    "listValue": lambda inner: [value_of(item) for item in inner.get("values", [])],
    "mapValue": lambda inner: {
        key: value_of(item) for key, item in inner.get("fields", {}).items()
    },
}
