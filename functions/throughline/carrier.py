"""The core: reads and writes trace context as a small map of strings.

Every hop carries context in some map: a document's field, a message's attributes, HTTP headers, a
charge's metadata. The adapters know where that map is; only this module knows what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from throughline import baggage_corrections, tracestate

KEYS = ("traceparent", "tracestate", "baggage")

#: The header with a copy of traceparent. Google's front end replaces traceparent with a span of its
#: own, which is often unsampled and never delivered to us, and leaves this header alone; so a valid
#: copy wins.
COPY = "x-throughline-context"

# W3C Baggage, section 3.3.2.
BAGGAGE_MAX_CHARS = 8192
# Version 00 has 55 characters. A later version may append fields, but hardly more than this.
TRACEPARENT_MAX_CHARS = 512
_REASON_MAX_CHARS = 80

_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?",
    re.ASCII,
)
_TRACE_CONTEXT = TraceContextTextMapPropagator()
_BAGGAGE = W3CBaggagePropagator()

_allowed_keys: dict[str, re.Pattern[str]] = {}


@dataclass(frozen=True)
class BaggageKey:
    """A baggage key that may cross hops.

    Args:
        attribute: the span attribute that shows its value.
        pattern: the regular expression that the whole value must match.
    """

    attribute: str
    pattern: str


@dataclass(frozen=True)
class Arrival:
    """The context that a hop received.

    `context` holds the remote span context and baggage when `state` is "carried". Otherwise it is
    empty, so that a span started in it is a new root. `reason` says why the context is "invalid",
    or what was dropped beside a traceparent that was "carried".
    """

    context: Context
    state: Literal["carried", "absent", "invalid"]
    reason: str | None = None

    @property
    def span_context(self) -> trace.SpanContext | None:
        """The remote span's context; None unless the state is "carried"."""
        remote = trace.get_current_span(self.context).get_span_context()
        return remote if remote.is_valid else None


ABSENT = Arrival(Context(), "absent")


def invalid(reason: str) -> Arrival:
    """Return an arrival that is "invalid" for `reason`, which is cut to 80 printable characters."""
    printable = "".join(c if c.isprintable() else "?" for c in reason)
    return Arrival(Context(), "invalid", printable[:_REASON_MAX_CHARS])


def read(carrier: object) -> Arrival:
    """Read the context from `carrier`, a map that may come from an untrusted sender.

    Does not raise. A carrier that is None, empty or without a traceparent is "absent"; one whose
    traceparent breaks W3C Trace Context level 2 is "invalid". A tracestate or baggage that is
    malformed, too long or not a string is dropped alone: the traceparent is still used, and
    `reason` names what was dropped. The same applies to a baggage entry whose value does not match
    its key's pattern.
    """
    if carrier is None:
        return ABSENT
    if not isinstance(carrier, Mapping):
        return invalid(f"carrier is a {type(carrier).__name__}, not a map")
    received = {key: carrier[key] for key in KEYS if carrier.get(key) is not None}
    if "traceparent" not in received:
        return ABSENT
    traceparent = received["traceparent"]
    if reason := _traceparent_error(traceparent):
        return invalid(reason)
    state, state_loss = _read_tracestate(received.get("tracestate"))
    context = trace.set_span_in_context(
        NonRecordingSpan(_span_context(traceparent, state)), Context()
    )
    context, baggage_loss = _read_baggage(received.get("baggage"), context)
    context, malformed_keys = _only_allowed(context)
    losses = [loss for loss in (state_loss, baggage_loss) if loss]
    losses += [f"baggage {key} is malformed" for key in malformed_keys]
    return Arrival(context, "carried", "; ".join(losses) or None)


def write() -> dict[str, str]:
    """Return the current span's context as a map; empty when no span is current."""
    carrier: dict[str, str] = {}
    _TRACE_CONTEXT.inject(carrier)
    if carrier:
        context = Context()
        for key, value in baggage_corrections.current().items():
            context = baggage.set_baggage(key, value, context)
        _BAGGAGE.inject(carrier, context=_only_allowed(context)[0])
    return carrier


def allow_baggage(keys: Mapping[str, BaggageKey]) -> None:
    """Allow these baggage keys to cross hops; every other key is dropped on its way in and out.

    So is a value that does not match its key's pattern. Baggage goes wherever the trace goes,
    vendors included, and may come from any client.
    """
    _allowed_keys.update({name: re.compile(key.pattern) for name, key in keys.items()})


def _only_allowed(context: Context) -> tuple[Context, list[str]]:
    """Return `context` with only valid baggage, and the allowed keys whose value was invalid."""
    malformed_keys = []
    for key, value in baggage.get_all(context).items():
        pattern = _allowed_keys.get(key)
        if pattern and isinstance(value, str) and pattern.fullmatch(value):
            continue
        context = baggage.remove_baggage(key, context)
        if pattern:
            malformed_keys.append(key)
    return context, malformed_keys


def _span_context(traceparent: str, state: TraceState | None) -> SpanContext:
    """Return the remote span context of a valid traceparent."""
    fields = _TRACEPARENT.fullmatch(traceparent)
    assert fields is not None  # noqa: S101  (`_traceparent_error` checked it)
    return SpanContext(
        trace_id=int(fields["trace"], 16),
        span_id=int(fields["span"], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(fields["flags"], 16)),
        trace_state=state,
    )


def _read_tracestate(value: object) -> tuple[TraceState | None, str | None]:
    """Return the list in `value`, and what was lost of it."""
    if value is None:
        return None, None
    if not isinstance(value, str):
        return None, _not_a_string("tracestate", value)
    parsed = tracestate.parse(value)
    return parsed.list, parsed.loss


def _read_baggage(value: object, context: Context) -> tuple[Context, str | None]:
    """Return `context` with the baggage in `value`, and what was lost of it."""
    if value is None:
        return context, None
    if not isinstance(value, str):
        return context, _not_a_string("baggage", value)
    if len(value) > BAGGAGE_MAX_CHARS:
        return context, f"baggage is longer than {BAGGAGE_MAX_CHARS} characters"
    # Well-formed baggage is ASCII, and OpenTelemetry's propagator raises on a lone surrogate.
    if not value.isascii():
        return context, "baggage is malformed"
    extracted = _BAGGAGE.extract({"baggage": value}, context=context)
    is_lost = value.strip(" \t,") and not baggage.get_all(extracted)
    return extracted, "baggage is malformed" if is_lost else None


def _traceparent_error(traceparent: object) -> str | None:  # noqa: PLR0911  (one line per rule)
    """Return the rule that `traceparent` breaks, without quoting it, or None if it is valid."""
    if not isinstance(traceparent, str):
        return _not_a_string("traceparent", traceparent)
    if len(traceparent) > TRACEPARENT_MAX_CHARS:
        return f"traceparent is longer than {TRACEPARENT_MAX_CHARS} characters"
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


def _not_a_string(key: str, value: object) -> str:
    return f"{key} is a {type(value).__name__}, not a string"
