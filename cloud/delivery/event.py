"""An event as a function's worker hands it over, and as the emulator wants it delivered. Pure."""

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

# What belongs to one connection or one delivery, and is said anew by the next.
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
    """What was handed over is not an event; the message names what is wrong with it."""


@dataclass(frozen=True)
class Event:
    """One event for one function; header names are lowercase, `body` is as the worker read it."""

    function: str
    headers: Mapping[str, str]
    body: bytes

    def to_deliver(self) -> tuple[dict[str, str], bytes]:
        """The headers and the body to POST to the functions emulator.

        It takes protobuf in base64, as the Firestore emulator sends it, and decodes it for the
        worker.
        """
        headers = {
            name: value for name, value in self.headers.items() if name not in _NOT_PASSED_ON
        }
        if "application/protobuf" in self.headers.get("content-type", ""):
            return headers, base64.b64encode(self.body)
        return headers, self.body


@dataclass(frozen=True)
class Attempt:
    """How one delivery went, as far as anybody knows.

    `span` is the function's span as a traceparent and `parent` what that continued; both are None
    where the function never ran or nothing is traced. `error` is None where it went well. The
    times are this process's, 0 for a delivery that it didn't make.
    """

    error: str | None = None
    span: str | None = None
    parent: str | None = None
    number: int = 1
    began_unix_nano: int = 0
    ended_unix_nano: int = 0


def parse_event(said: object) -> tuple[Event, Attempt | None]:
    """Read what a worker hands over: an event, and how its first attempt went if there was one.

    Raises:
        BadEvent: it isn't that.
    """
    if not isinstance(said, Mapping):
        raise BadEvent(f"an event is a map, not a {type(said).__name__}")
    function, headers, body = said.get("function"), said.get("headers"), said.get("body")
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
    failed = said.get("failed")
    return event, None if failed is None else parse_attempt(failed)


def parse_attempt(said: object) -> Attempt:
    """Read a worker's account of an attempt; what in it can't be used is left out."""
    account: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    error = account.get("error")
    return Attempt(
        error=None if error is None else str(error),
        span=_traceparent(account.get("span")),
        parent=_traceparent(account.get("parent")),
    )


def _traceparent(value: object) -> str | None:
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None
