"""One message of the emulator's request monitor: one evaluation of the rules, read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from observatory.rules_monitor.typed import UNDEFINED, unix_nano, value_of

Outcome = Literal["allow", "deny", "error"]
OUTCOMES: tuple[Outcome, ...] = ("allow", "deny", "error")

READS = frozenset({"get", "list"})
# What a write may be that doesn't say whether the document is there.
SET = frozenset({"create", "update"})

# What comes later fits no span, and no token: the year is 2262.
LATEST_UNIX_SECONDS = 2**63 // 10**9

_DOCUMENT = re.compile(r"/?databases/(?P<database>[^/]+)/documents/(?P<path>.*)", re.DOTALL)
_PROJECT = re.compile(r"projects/([^/]+)/releases/")


class Unreadable(Exception):
    """A message that is no evaluation; says what is missing, and quotes nothing."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation.

    ``path`` is relative to the database (``orders/abc``; a query's ends in ``/*``). ``method`` is
    ``set`` where the rules said the same of a ``create`` and of an ``update``. ``allows`` has the
    line of each ``allow`` that was tried in this request so far, for other documents and methods
    too, and the last that it said. ``request`` and ``resource`` are the
    rules' variables of these names, decoded; they hold the attempted document, and are looked at,
    never copied. ``request_time`` is the same in all evaluations of one request.
    """

    request_id: str
    project: str
    database: str
    path: str
    method: str
    outcome: Outcome
    time_unix_nano: int
    request_time: str
    rules: str
    allows: tuple[tuple[int, bool], ...]
    request: Any
    resource: Any

    @property
    def collection(self) -> str:
        """The id of the collection that the document is in."""
        ids = self.path.split("/")
        return ids[-2] if len(ids) > 1 else ids[0]

    @property
    def document_id(self) -> str | None:
        """The document's id; None where a query has none."""
        ids = self.path.split("/")
        return ids[-1] if len(ids) > 1 and ids[-1] != "*" else None

    @property
    def uid(self) -> str | None:
        """Who asked; None when signed out."""
        uid = within(self.request, "auth", "uid")
        return uid if isinstance(uid, str) else None

    @property
    def token_issued_at(self) -> int | None:
        """When the asker's ID token was issued, in seconds since 1970; None when signed out."""
        issued_at = within(self.request, "auth", "token", "iat")
        is_one = isinstance(issued_at, int) and not isinstance(issued_at, bool)
        return issued_at if is_one and 0 <= issued_at < LATEST_UNIX_SECONDS else None

    @property
    def access(self) -> tuple[str, ...]:
        """What is equal in all evaluations of one access within one request."""
        kind = "set" if self.method in SET else self.method
        return (self.database, self.path, kind, self.request_time, self.uid or "")


def within(value: Any, *keys: str) -> Any:
    """What lies at ``keys`` in nested maps; ``UNDEFINED`` when it isn't there."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return UNDEFINED
        value = value[key]
    return value


def read(message: object) -> Evaluation:
    """The evaluation that a decoded message describes.

    Raises:
        Unreadable: it describes none.
    """
    if not isinstance(message, dict):
        raise Unreadable("a message is not an object")
    context = message.get("rulesContext")
    if not isinstance(context, dict):
        raise Unreadable("a message has no rulesContext")
    outcome = message.get("outcome")
    if outcome not in OUTCOMES:
        raise Unreadable("a message's outcome is none of allow, deny and error")
    found = _DOCUMENT.fullmatch(_text(context, "path"))
    if found is None:
        raise Unreadable("a message's path is no document's")
    project = _PROJECT.match(str(message.get("rulesReleaseKey", "")))
    try:
        time_unix_nano = unix_nano(message.get("time"))
    except ValueError as error:
        raise Unreadable(f"a message's time is no time: {error}") from None
    return Evaluation(
        request_id=_text(message, "requestId"),
        project=project[1] if project else "",
        database=found["database"],
        path=found["path"],
        method=_text(context, "method"),
        outcome=outcome,
        time_unix_nano=time_unix_nano,
        request_time=str(context.get("time", "")),
        rules=str(message.get("rules", "")),
        allows=_allows(message.get("granularAllowOutcomes")),
        request=value_of(context.get("request")),
        resource=value_of(context.get("resource")),
    )


def _text(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"a message has no {key}")
    return value


def _allows(granular: object) -> tuple[tuple[int, bool], ...]:
    # An access that was evaluated twice names each allow twice; the last word counts.
    said: dict[int, bool] = {}
    for entry in granular if isinstance(granular, list) else []:
        line = entry.get("line") if isinstance(entry, dict) else None
        if isinstance(line, int) and line > 0:
            said[line] = entry.get("outcome") is True
    return tuple(said.items())
