"""Baggage as attributes, so that every span of a trace can be found by them."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

from throughline import baggage_corrections
from throughline.carrier import BaggageKey


class BaggageAttributes(SpanProcessor):
    """Copies the baggage of these keys to each span that starts, corrections included.

    An attribute that the span already has is kept.
    """

    def __init__(self, keys: Mapping[str, BaggageKey]) -> None:
        self._attributes = {name: key.attribute for name, key in keys.items()}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        existing = span.attributes or {}
        entries = baggage_corrections.current(parent_context)
        for key, attribute in self._attributes.items():
            value = entries.get(key)
            if isinstance(value, str) and attribute not in existing:
                span.set_attribute(attribute, value)
