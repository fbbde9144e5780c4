"""Corrections to the baggage of an invocation, from the app's own documents.

Baggage may come from any client. Once a function has read its own document, the document's values
replace those that were received, on every later span and outgoing call of that invocation.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context

_CORRECTIONS = context.create_key("throughline-baggage-corrections")
_REASON = "throughline.context.reason"


def begin(received: Context) -> Context:
    """Return `received` as the context of one invocation, whose baggage can be corrected."""
    return context.set_value(_CORRECTIONS, {}, received)


def current(parent_context: Context | None = None) -> dict[str, object]:
    """Return the baggage of a context, by default the current one, with its corrections."""
    return {**baggage.get_all(parent_context), **_corrections(parent_context)}


def correct_baggage(entries: Mapping[str, object]) -> None:
    """Replace entries of the current invocation's baggage with values read from a document.

    A received entry with another value is noted in `throughline.context.reason` on the
    current span. Values that are not strings are ignored, and so is a call outside an invocation.
    """
    corrections = context.get_value(_CORRECTIONS)
    if not isinstance(corrections, dict):
        return
    before = current()
    for key, value in entries.items():
        if not isinstance(value, str):
            continue
        if key in before and before[key] != value:
            _note(f"baggage {key} differs from the document")
        corrections[key] = value


def _corrections(parent_context: Context | None) -> Mapping[str, object]:
    corrections = context.get_value(_CORRECTIONS, parent_context)
    return corrections if isinstance(corrections, dict) else {}


def _note(reason: str) -> None:
    span = trace.get_current_span()
    earlier = (getattr(span, "attributes", None) or {}).get(_REASON)
    span.set_attribute(_REASON, f"{earlier}; {reason}" if earlier else reason)
