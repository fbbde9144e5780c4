"""The tracestate list, read as W3C Trace Context level 2 writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from opentelemetry.trace import TraceState

MEMBERS_MAX = 32
# What W3C asks everybody to pass on; of a longer list the big members go first, then the last.
PROPAGATED_CHARS = 512
BIG_MEMBER_CHARS = 128

# Level 2's grammar of keys; it takes in every key of level 1, tenant@system ones included.
_MEMBER = re.compile(
    r"(?P<key>[a-z0-9][a-z0-9_*/@-]{0,255})="
    r"(?P<value>[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)


class _Level2(TraceState):
    """A list of entries already checked; the API's own check knows level 1's keys only."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._dict.update(entries)


def parse(value: str) -> TraceState | None:
    """The list in `value`; None if it breaks the grammar, names a key twice or has over 32 members.

    None means that the list is dropped whole, and that the traceparent beside it still counts.
    """
    entries: dict[str, str] = {}
    for member in _members(value):
        found = _MEMBER.fullmatch(member)
        if found is None or found["key"] in entries:
            return None
        entries[found["key"]] = found["value"]
    return _Level2(entries.items()) if len(entries) <= MEMBERS_MAX else None


def fit(value: str) -> str:
    """`value` without its optional white space and empty members, cut to 512 characters by leaving
    out whole members: those over 128 characters first, then from the right (level 2, 3.3.1.5)."""
    members = _members(value)
    for longer_than in (BIG_MEMBER_CHARS, 0):
        for at in reversed(range(len(members))):
            if len(",".join(members)) <= PROPAGATED_CHARS:
                return ",".join(members)
            if len(members[at]) > longer_than:
                del members[at]
    return ",".join(members)


def _members(value: str) -> list[str]:
    return [member for part in value.split(",") if (member := part.strip(" \t"))]
