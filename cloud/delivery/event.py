"""Parses events that a worker hands over, and prepares them for the functions emulator. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The wire contract with the functions; README.md documents it.
ATTEMPT_HEADER = "x-throughline-delivery-attempt"
FIRST_ATTEMPT_HEADER = "x-throughline-first-attempt"
FAIL_HEADER = "x-throughline-delivery-fail"
#: Attribute of a function's span: the number of the attempt.
ATTEMPT_ATTRIBUTE = "throughline.delivery.attempt"

# Headers that belong to one connection or one delivery; the next delivery sets its own.
_NOT_PASSED_ON = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "transfer-encoding",
        ATTEMPT_HEADER,
        FIRST_ATTEMPT_HEADER,
        FAIL_HEADER,
    }
)
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


class BadEvent(Exception):
    """A request is not a valid event; the message says why."""


@dataclass(frozen=True)
class Event:
    """One event for one function.

    Header names are lowercase. `body` is the request body that the worker received.
    """

    function: str
    headers: Mapping[str, str]
    body: bytes

    def to_deliver(self) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body to POST to the functions emulator.

        The emulator expects protobuf in base64, as the Firestore emulator sends it, and decodes it
        for the worker.
        """
        headers = {
            name: value for name, value in self.headers.items() if name not in _NOT_PASSED_ON
        }
        if "application/protobuf" in self.headers.get("content-type", ""):
            return headers, base64.b64encode(self.body)
        return headers, self.body


@dataclass(frozen=True)
class Attempt:
    """The result of one delivery.

    Attributes:
        error: why it failed; None if it succeeded.
        span: the context of the function's span as a traceparent; None if the function did not run
            or is not traced.
        parent: the context of that span's parent, likewise.
        number: the number of the attempt, from 1.
        began_unix_nano: by this process's clock; 0 for a delivery by the emulator.
        ended_unix_nano: likewise.
    """

    error: str | None = None
    span: str | None = None
    parent: str | None = None
    number: int = 1
    began_unix_nano: int = 0
    ended_unix_nano: int = 0


def parse_event(payload: object) -> tuple[Event, Attempt | None]:
    """Parse a worker's request: an event, and the result of its first attempt if there was one.

    Raises:
        BadEvent: the payload is not a valid event.
    """
    if not isinstance(payload, Mapping):
        raise BadEvent(f"an event is a map, not a {type(payload).__name__}")
    function, headers, body = payload.get("function"), payload.get("headers"), payload.get("body")
    if not isinstance(function, str) or not re.fullmatch(r"\w+", function, re.ASCII):
        raise BadEvent("function must be a function's name")
    if not isinstance(headers, Mapping) or not all(
        isinstance(text, str) for header in headers.items() for text in header
    ):
        raise BadEvent("headers must be a map of strings")
    if not isinstance(body, str):
        raise BadEvent("body must be base64")
    try:
        decoded = base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise BadEvent("body must be base64") from error
    event = Event(function, {name.lower(): value for name, value in headers.items()}, decoded)
    failed = payload.get("failed")
    return event, None if failed is None else parse_attempt(failed)


def parse_attempt(payload: object) -> Attempt:
    """Parse a worker's report of an attempt; invalid fields are ignored."""
    report: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    error = report.get("error")
    return Attempt(
        error=None if error is None else str(error),
        span=_traceparent(report.get("span")),
        parent=_traceparent(report.get("parent")),
    )


def _traceparent(value: object) -> str | None:
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None
