"""What the app knows better than the baggage that came in.

Baggage may come from any client. Once a function has read its own document, the document's values
replace the ones that were received, for every later span and every call of that invocation.
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


def current(around: Context | None = None) -> dict[str, object]:
    """Return the baggage of a context, by default the current one, with its corrections."""
    return {**baggage.get_all(around), **_corrections(around)}


def correct_baggage(known: Mapping[str, object]) -> None:
    """Replace entries of the current invocation's baggage by values read from a document.

    An entry that was received with another value is noted in `throughline.context.reason` on the
    current span. Values that are not strings are ignored, and so is a call outside an invocation.
    """
    corrections = context.get_value(_CORRECTIONS)
    if not isinstance(corrections, dict):
        return
    before = current()
    for key, value in known.items():
        if not isinstance(value, str):
            continue
        if key in before and before[key] != value:
            _note(f"baggage {key} differs from the document")
        corrections[key] = value


def _corrections(around: Context | None) -> Mapping[str, object]:
    corrections = context.get_value(_CORRECTIONS, around)
    return corrections if isinstance(corrections, dict) else {}


def _note(loss: str) -> None:
    span = trace.get_current_span()
    earlier = (getattr(span, "attributes", None) or {}).get(_REASON)
    span.set_attribute(_REASON, f"{earlier}; {loss}" if earlier else loss)
