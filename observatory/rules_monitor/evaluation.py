"""Decode a message of the emulator's request monitor: one evaluation of the rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from observatory.rules_monitor.typed import UNDEFINED, unix_nano, value_of

Outcome = Literal["allow", "deny", "error"]
OUTCOMES: tuple[Outcome, ...] = ("allow", "deny", "error")

READS = frozenset({"get", "list"})
# A write without a precondition on whether the document exists may be either.
SET = frozenset({"create", "update"})

# Later times do not fit a span's 64-bit nanoseconds (year 2262).
LATEST_UNIX_SECONDS = 2**63 // 10**9

_DOCUMENT = re.compile(r"/?databases/(?P<database>[^/]+)/documents/(?P<path>.*)", re.DOTALL)
_PROJECT = re.compile(r"projects/([^/]+)/releases/")


class Unreadable(Exception):
    """The message is not an evaluation. Names what is missing, without quoting the message."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of the rules.

    Attributes:
        path: relative to the database (``orders/abc``; that of a query ends in ``/*``).
        method: ``set`` where the outcome for ``create`` and ``update`` was the same.
        allows: the line and latest outcome of each ``allow`` that was tried in this request so far,
            for other documents and methods too.
        request, resource: the decoded variables of the rules. They hold the attempted and the
            stored document, which must not be copied to spans.
        request_time: the same in all evaluations of one request.
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
        """Return the id of the document's collection."""
        ids = self.path.split("/")
        return ids[-2] if len(ids) > 1 else ids[0]

    @property
    def document_id(self) -> str | None:
        """Return the document's id; None for a query."""
        ids = self.path.split("/")
        return ids[-1] if len(ids) > 1 and ids[-1] != "*" else None

    @property
    def uid(self) -> str | None:
        """Return the id of the signed-in user, or None."""
        uid = within(self.request, "auth", "uid")
        return uid if isinstance(uid, str) else None

    @property
    def token_issued_at(self) -> int | None:
        """Return when the user's ID token was issued, in Unix seconds; None if signed out."""
        issued_at = within(self.request, "auth", "token", "iat")
        is_int = isinstance(issued_at, int) and not isinstance(issued_at, bool)
        return issued_at if is_int and 0 <= issued_at < LATEST_UNIX_SECONDS else None

    @property
    def access(self) -> tuple[str, ...]:
        """Return a key that all evaluations of one access within one request share."""
        kind = "set" if self.method in SET else self.method
        return (self.database, self.path, kind, self.request_time, self.uid or "")


def within(value: Any, *keys: str) -> Any:
    """Return the value at ``keys`` in nested maps; ``UNDEFINED`` if it is missing."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return UNDEFINED
        value = value[key]
    return value


def read(message: object) -> Evaluation:
    """Return the evaluation that a decoded JSON message describes.

    Raises:
        Unreadable: the message is not an evaluation.
    """
    if not isinstance(message, dict):
        raise Unreadable("a message is not an object")
    context = message.get("rulesContext")
    if not isinstance(context, dict):
        raise Unreadable("a message has no rulesContext")
    outcome = message.get("outcome")
    if outcome not in OUTCOMES:
        raise Unreadable("a message's outcome is not allow, deny or error")
    matched = _DOCUMENT.fullmatch(_text(context, "path"))
    if matched is None:
        raise Unreadable("a message's path is not that of a document")
    project = _PROJECT.match(str(message.get("rulesReleaseKey", "")))
    try:
        time_unix_nano = unix_nano(message.get("time"))
    except ValueError as error:
        raise Unreadable(f"a message's time is invalid: {error}") from None
    return Evaluation(
        request_id=_text(message, "requestId"),
        project=project[1] if project else "",
        database=matched["database"],
        path=matched["path"],
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
    # An access that was evaluated twice names each allow twice; the last outcome counts.
    outcomes: dict[int, bool] = {}
    for entry in granular if isinstance(granular, list) else []:
        line = entry.get("line") if isinstance(entry, dict) else None
        if isinstance(line, int) and line > 0:
            outcomes[line] = entry.get("outcome") is True
    return tuple(outcomes.items())
