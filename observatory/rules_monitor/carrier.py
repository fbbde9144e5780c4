"""The trace context in a document's ``_trace``: W3C Trace Context level 2, read strictly.

The functions and the page have readers of their own; the Observatory shares only OTLP with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

TRACE_FIELD = "_trace"
# W3C Trace Context has 512 characters of tracestate passed on, W3C Baggage 8,192 bytes.
TEXT_MAX_CHARS = {"tracestate": 512, "baggage": 8192}

_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}(?P<rest>-.*)?",
    re.ASCII,
)
_KINDS = {str: "string", bool: "bool", int: "int", float: "float", list: "list", type(None): "null"}


@dataclass(frozen=True)
class SpanAt:
    """Where a span is: its trace's id and its own, as bytes."""

    trace_id: bytes
    span_id: bytes


@dataclass(frozen=True)
class Context:
    """What was found where the context should be; ``span`` is set when it was carried, and
    ``reason`` says, quoting nothing of it, why it was not."""

    state: Literal["carried", "absent", "invalid"]
    span: SpanAt | None = None
    reason: str | None = None


ABSENT = Context("absent")


def read(carrier: object) -> Context:
    """The context in ``carrier``, a decoded value that may come from anybody. Never raises."""
    if carrier is None:
        return ABSENT
    if not isinstance(carrier, dict):
        return _invalid(f"carrier is a {_kind(carrier)}, not a map")
    if carrier.get("traceparent") is None:
        return ABSENT
    for key in ("traceparent", *TEXT_MAX_CHARS):
        value = carrier.get(key)
        if value is not None and not isinstance(value, str):
            return _invalid(f"{key} is a {_kind(value)}, not a string")
        if value and len(value) > TEXT_MAX_CHARS.get(key, len(value)):
            return _invalid(f"{key} is longer than {TEXT_MAX_CHARS[key]} characters")
    return _read_traceparent(carrier["traceparent"])


def _read_traceparent(traceparent: str) -> Context:
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return _invalid("traceparent is malformed")
    if found["version"] == "ff":
        return _invalid("traceparent has the forbidden version ff")
    if found["version"] == "00" and found["rest"] is not None:
        return _invalid("traceparent of version 00 is too long")
    span = SpanAt(bytes.fromhex(found["trace"]), bytes.fromhex(found["span"]))
    if not any(span.trace_id):
        return _invalid("traceparent has a trace id of zeros")
    if not any(span.span_id):
        return _invalid("traceparent has a span id of zeros")
    return Context("carried", span)


def _invalid(reason: str) -> Context:
    return Context("invalid", reason=reason)


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "value of another type")
