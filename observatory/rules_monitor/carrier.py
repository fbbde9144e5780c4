"""Read the trace context in a document's ``_trace``, strictly by W3C Trace Context level 2.

The functions and the page have their own implementations: the Observatory shares only OTLP with
them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

TRACE_FIELD = "_trace"
# The lengths that W3C Trace Context (512) and W3C Baggage (8,192) require to be propagated.
TEXT_MAX_CHARS = {"tracestate": 512, "baggage": 8192}

_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}(?P<rest>-.*)?",
    re.ASCII,
)
_KINDS = {str: "string", bool: "bool", int: "int", float: "float", list: "list", type(None): "null"}


@dataclass(frozen=True)
class SpanRef:
    """The ids of a span and its trace, as bytes."""

    trace_id: bytes
    span_id: bytes


@dataclass(frozen=True)
class Context:
    """The context in a document.

    Args:
        state: whether a valid context was carried.
        span: the carried parent; None unless ``state`` is ``carried``.
        reason: why no context was carried, or what was dropped beside a valid traceparent. It
            quotes nothing from the document.
    """

    state: Literal["carried", "absent", "invalid"]
    span: SpanRef | None = None
    reason: str | None = None


ABSENT = Context("absent")


def read(carrier: object) -> Context:
    """Read the context in ``carrier``, a decoded value from an untrusted client. Never raises.

    If tracestate or baggage is too long or not a string, only that value is dropped: the
    traceparent still counts, and ``reason`` says what was dropped.
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
    drop_reasons = [
        drop_reason
        for key in TEXT_MAX_CHARS
        if (drop_reason := _drop_reason(key, carrier.get(key)))
    ]
    if context.state == "carried" and drop_reasons:
        return replace(context, reason="; ".join(drop_reasons))
    return context


def _drop_reason(key: str, value: object) -> str | None:
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
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return _invalid("traceparent is malformed")
    if match["version"] == "ff":
        return _invalid("traceparent has the forbidden version ff")
    if match["version"] == "00" and match["rest"] is not None:
        return _invalid("traceparent of version 00 is too long")
    span = SpanRef(bytes.fromhex(match["trace"]), bytes.fromhex(match["span"]))
    if not any(span.trace_id):
        return _invalid("traceparent has a trace id of zeros")
    if not any(span.span_id):
        return _invalid("traceparent has a span id of zeros")
    return Context("carried", span)


def _invalid(reason: str) -> Context:
    return Context("invalid", reason=reason)


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "value of another type")
