"""The core: trace context as a small map of strings, read strictly and written plainly.

Every hop carries context in some map: a document's field, a message's attributes, HTTP headers, a
charge's metadata. The adapters know where that map lives; only this module knows what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, get_current
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from throughline import tracestate

KEYS = ("traceparent", "tracestate", "baggage")

#: Carries the same as traceparent. Google's front end puts its own span into traceparent, often
#: unsampled and never delivered to us, and leaves this one alone; so where it is valid, it wins.
COPY = "x-throughline-context"

# W3C Trace Context has 512 characters of tracestate passed on, W3C Baggage 8,192 bytes.
TRACESTATE_MAX_CHARS = 512
BAGGAGE_MAX_CHARS = 8192
# A later version's may be longer than the 55 characters of today's, but hardly by so much.
TRACEPARENT_MAX_CHARS = 512
_MAX_CHARS = {
    "traceparent": TRACEPARENT_MAX_CHARS,
    "tracestate": TRACESTATE_MAX_CHARS,
    "baggage": BAGGAGE_MAX_CHARS,
}
_REASON_MAX_CHARS = 80

_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?",
    re.ASCII,
)
_TRACE_CONTEXT = TraceContextTextMapPropagator()
_BAGGAGE = W3CBaggagePropagator()

_passed_on: set[str] = set()


@dataclass(frozen=True)
class Arrival:
    """What a hop found where the context should be.

    `context` holds the remote span context and baggage when `state` is "carried", and is empty, so
    that a span begun in it is a new root, when it is not. `reason` says why it is "invalid".
    """

    context: Context
    state: Literal["carried", "absent", "invalid"]
    reason: str | None = None

    @property
    def span_context(self) -> trace.SpanContext | None:
        """The remote span's context, or None where nothing usable arrived."""
        found = trace.get_current_span(self.context).get_span_context()
        return found if found.is_valid else None


ABSENT = Arrival(Context(), "absent")


def invalid(reason: str) -> Arrival:
    """An arrival that can't be used; `reason` is cut to 80 printable characters."""
    printable = "".join(c if c.isprintable() else "?" for c in reason)
    return Arrival(Context(), "invalid", printable[:_REASON_MAX_CHARS])


def read(carrier: object) -> Arrival:
    """Read the context out of `carrier`, a map that may come from anybody.

    Never raises. A carrier that is None, empty or without a traceparent is "absent"; one that
    breaks W3C Trace Context level 2 is "invalid". A tracestate or baggage that is a string but
    malformed is dropped alone, as the specifications ask.
    """
    if carrier is None:
        return ABSENT
    if not isinstance(carrier, Mapping):
        return invalid(f"carrier is a {type(carrier).__name__}, not a map")
    found = {key: carrier[key] for key in KEYS if carrier.get(key) is not None}
    if "traceparent" not in found:
        return ABSENT
    if reason := _fault(found):
        return invalid(reason)
    # None of them is well-formed beyond ASCII, and the baggage propagator raises on a surrogate.
    usable = {key: str(value) for key, value in found.items() if str(value).isascii()}
    context = trace.set_span_in_context(NonRecordingSpan(_span_context(usable)), Context())
    return Arrival(_only_passed_on(_BAGGAGE.extract(usable, context=context)), "carried")


def write() -> dict[str, str]:
    """The current span's context as a map; empty when no span is current."""
    carrier: dict[str, str] = {}
    _TRACE_CONTEXT.inject(carrier)
    if carrier:
        _BAGGAGE.inject(carrier, context=_only_passed_on(get_current()))
    return carrier


def pass_on(baggage_keys: Iterable[str]) -> None:
    """Let these keys of baggage cross hops; until told so, and for any other key, none does.

    Baggage goes wherever the trace goes, vendors included, and comes from anybody.
    """
    _passed_on.update(baggage_keys)


def _only_passed_on(context: Context) -> Context:
    for key in baggage.get_all(context):
        if key not in _passed_on:
            context = baggage.remove_baggage(key, context)
    return context


def _span_context(found: Mapping[str, str]) -> SpanContext:
    """The remote span's context in a carrier that has no fault."""
    parts = _TRACEPARENT.fullmatch(found["traceparent"])
    assert parts is not None  # noqa: S101  (_fault saw to it)
    return SpanContext(
        trace_id=int(parts["trace"], 16),
        span_id=int(parts["span"], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(parts["flags"], 16)),
        trace_state=tracestate.parse(found.get("tracestate", "")),
    )


def _fault(found: Mapping[str, object]) -> str | None:
    """What is wrong with `found`, in a few words that quote nothing of it; None if nothing is."""
    for key, value in found.items():
        if not isinstance(value, str):
            return f"{key} is a {type(value).__name__}, not a string"
    for key, longest in _MAX_CHARS.items():
        if len(str(found.get(key, ""))) > longest:
            return f"{key} is longer than {longest} characters"
    return _traceparent_fault(str(found["traceparent"]))


def _traceparent_fault(traceparent: str) -> str | None:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or not traceparent.isascii():
        return "traceparent is malformed"
    if match["version"] == "ff":
        return "traceparent has the forbidden version ff"
    if match["version"] == "00" and match["rest"] is not None:
        return "traceparent of version 00 is too long"
    if not int(match["trace"], 16):
        return "traceparent has a trace id of zeros"
    if not int(match["span"], 16):
        return "traceparent has a span id of zeros"
    return None
