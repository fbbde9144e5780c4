"""Decode the emulator's typed values (``{"intValue": "2"}``) into Python values."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


@dataclass(frozen=True)
class Opaque:
    """A value of which only the kind is known.

    For example a kind that this module does not decode, or a document that the emulator had not
    looked up yet ("undefined").
    """

    kind: str


@dataclass(frozen=True, order=True)
class Timestamp:
    """A point in time, in nanoseconds since 1970."""

    unix_nano: int


@dataclass(frozen=True)
class Path:
    """A document path or a part of one, as its segments."""

    segments: tuple[str, ...]


UNDEFINED = Opaque("undefined")


def value_of(typed: object) -> Any:
    """Decode a typed value.

    Returns:
        None, bool, int, float, str, bytes, list, dict, ``Timestamp``, ``Path`` or ``Opaque``.

    Raises:
        RecursionError: the value is nested beyond Python's recursion limit. Nothing else is raised,
            whatever the JSON looks like.
    """
    if not isinstance(typed, dict) or len(typed) != 1:
        return UNDEFINED
    ((kind, inner),) = typed.items()
    try:
        return _DECODERS[kind](inner)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Opaque(str(kind))


def unix_nano(time: object) -> int:
    """Convert an RFC 3339 time in UTC to nanoseconds since 1970.

    Raises:
        ValueError: ``time`` is something else.
    """
    matched = _RFC_3339.fullmatch(time) if isinstance(time, str) else None
    if matched is None:
        raise ValueError("not an RFC 3339 time in UTC")
    seconds = datetime.fromisoformat(matched[1]).replace(tzinfo=UTC).timestamp()
    return int(seconds) * 1_000_000_000 + int((matched[2] or "0").ljust(9, "0"))


def _instance_of(kind: type) -> Any:
    def decode(inner: Any) -> Any:
        if not isinstance(inner, kind):
            raise TypeError(kind)
        return inner

    return decode


_DECODERS: dict[str, Any] = {
    "undefined": lambda _: UNDEFINED,
    "nullValue": lambda _: None,
    "boolValue": _instance_of(bool),
    "intValue": int,
    "floatValue": float,
    "doubleValue": float,
    "stringValue": _instance_of(str),
    "bytesValue": lambda inner: base64.b64decode(inner, validate=True),
    "timestampValue": lambda inner: Timestamp(unix_nano(inner)),
    "pathValue": lambda inner: Path(
        tuple(_instance_of(str)(segment["simple"]) for segment in inner["segments"])
    ),
    "listValue": lambda inner: [value_of(item) for item in inner.get("values", [])],
    "mapValue": lambda inner: {
        key: value_of(item) for key, item in inner.get("fields", {}).items()
    },
}
