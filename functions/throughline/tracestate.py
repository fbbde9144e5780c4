"""Read and limit the `tracestate` list of W3C Trace Context level 2 (section 3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from opentelemetry.trace import TraceState

MEMBERS_MAX = 32
# Section 3.3.1.5: every participant should propagate 512 characters. Of a longer list the members
# over 128 characters are removed first.
PROPAGATED_MAX_CHARS = 512
BIG_MEMBER_CHARS = 128

# Level 2's grammar of keys. It accepts every key of level 1, tenant@system ones included.
_MEMBER = re.compile(
    r"(?P<key>[a-z0-9][a-z0-9_*/@-]{0,255})="
    r"(?P<value>[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)


@dataclass(frozen=True)
class Parsed:
    """A tracestate as it is used.

    `list` holds the members that are kept, None if there are none. `loss` describes what was
    dropped and why, without quoting the list; None if nothing was.
    """

    list: TraceState | None
    loss: str | None = None


class _Level2TraceState(TraceState):
    """A list of checked entries; OpenTelemetry's own constructor accepts only level 1's keys."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._dict.update(entries)


def parse(value: str) -> Parsed:
    """Parse the `tracestate` list in `value`, which may be of any length. Does not raise.

    - Of a key that is repeated the first member is kept (3.3.1.3).
    - A list longer than 512 characters loses whole members until it fits: those over 128
      characters first, then from the right (3.3.1.5).
    - A list with a malformed member or more than 32 keys is dropped whole.
    """
    members = [member for part in value.split(",") if (member := part.strip(" \t"))]
    first_by_key: dict[str, str] = {}
    for member in members:
        first_by_key.setdefault(member.partition("=")[0], member)
    kept = list(first_by_key.values())
    if len(kept) > MEMBERS_MAX:
        return Parsed(None, f"tracestate has more than {MEMBERS_MAX} members")
    loss = "tracestate repeats a key" if len(kept) != len(members) else None
    if _is_too_long(kept):
        loss = f"tracestate is longer than {PROPAGATED_MAX_CHARS} characters"
        kept = _fit(kept)
    entries: list[tuple[str, str]] = []
    for member in kept:
        match = _MEMBER.fullmatch(member)
        if match is None:
            return Parsed(None, loss or "tracestate is malformed")
        entries.append((match["key"], match["value"]))
    return Parsed(_Level2TraceState(entries) if entries else None, loss)


def _is_too_long(members: list[str]) -> bool:
    return len(",".join(members)) > PROPAGATED_MAX_CHARS


def _fit(members: list[str]) -> list[str]:
    """Remove whole members until the list fits: long ones first, each time from the right."""
    fitting = list(members)
    for longer_than in (BIG_MEMBER_CHARS, 0):
        for index in reversed(range(len(fitting))):
            if _is_too_long(fitting) and len(fitting[index]) > longer_than:
                del fitting[index]
    return fitting
