"""The trace context in a document's ``_trace``: W3C Trace Context level 2, read strictly.

The functions and the page have readers of their own; the Observatory shares only OTLP with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
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
    """The context in a document; ``span`` is set when it was carried. ``reason`` says why it was
    not, or what was dropped beside a good traceparent; it quotes nothing of the document."""

    state: Literal["carried", "absent", "invalid"]
    span: SpanAt | None = None
    reason: str | None = None


ABSENT = Context("absent")


def read(carrier: object) -> Context:
    """Read the context in ``carrier``, a decoded value from an untrusted client. Never raises.

    A tracestate or baggage that is too long or no string is dropped alone: the traceparent still
    counts, and ``reason`` says what was dropped.
    """
    if carrier is None:
        return ABSENT
    if not isinstance(carrier, dict):
        return _invalid(f"carrier is a {_kind(carrier)}, not a map")
    traceparent = carrier.get("traceparent")
    if traceparent is None:
        return ABSENT
    if not isinstance(traceparent, str):
        return _invalid(_not_a_string("traceparent", traceparent))
    context = _read_traceparent(traceparent)
    losses = [loss for key in TEXT_MAX_CHARS if (loss := _loss(key, carrier.get(key)))]
    if context.state == "carried" and losses:
        return replace(context, reason="; ".join(losses))
    return context


def _loss(key: str, value: object) -> str | None:
    """Return why ``value`` is not used, None if it is or is absent."""
    if value is None:
        return None
    if not isinstance(value, str):
        return _not_a_string(key, value)
    longest = TEXT_MAX_CHARS[key]
    return f"{key} is longer than {longest} characters" if len(value) > longest else None


def _not_a_string(key: str, value: object) -> str:
    return f"{key} is a {_kind(value)}, not a string"


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
