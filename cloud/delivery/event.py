"""An event as a worker hands it over, and as the emulator takes it. Pure."""

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
#: By this attribute of a function's span an invocation says which attempt it is.
ATTEMPT_ATTRIBUTE = "throughline.delivery.attempt"

# Headers of one connection or one delivery; the next delivery sets its own.
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
    """The request is not an event; the message says what is wrong with it."""


@dataclass(frozen=True)
class Event:
    """One event for one function; header names are lowercase, `body` is as the worker read it."""

    function: str
    headers: Mapping[str, str]
    body: bytes

    def to_deliver(self) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body to POST to the functions emulator.

        The emulator takes protobuf in base64, as the Firestore emulator sends it, and decodes it
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

    `span` is the function's span as a traceparent and `parent` that span's parent; both are None if
    the function never ran or is not traced. `error` is None if it succeeded. The times are this
    process's clock, 0 for a delivery by the emulator.
    """

    error: str | None = None
    span: str | None = None
    parent: str | None = None
    number: int = 1
    began_unix_nano: int = 0
    ended_unix_nano: int = 0


def parse_event(payload: object) -> tuple[Event, Attempt | None]:
    """Parse what a worker hands over: an event, and how its first attempt went if it was tried.

    Raises:
        BadEvent: the payload is something else.
    """
    if not isinstance(payload, Mapping):
        raise BadEvent(f"an event is a map, not a {type(payload).__name__}")
    function, headers, body = payload.get("function"), payload.get("headers"), payload.get("body")
    if not isinstance(function, str) or not re.fullmatch(r"\w+", function, re.ASCII):
        raise BadEvent("function must be a function's name")
    if not isinstance(headers, Mapping) or not all(
        isinstance(part, str) for header in headers.items() for part in header
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
    """Parse a worker's report of an attempt; fields that can't be used are left out."""
    report: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    error = report.get("error")
    return Attempt(
        error=None if error is None else str(error),
        span=_traceparent(report.get("span")),
        parent=_traceparent(report.get("parent")),
    )


def _traceparent(value: object) -> str | None:
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None
