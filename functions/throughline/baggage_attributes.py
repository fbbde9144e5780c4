"""Baggage as attributes, so that every span of a trace can be found by them."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor


class BaggageAttributes(SpanProcessor):
    """Copies baggage to each span that starts.

    `attributes` maps keys of baggage to attributes. An attribute that the span already has is kept.
    """

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._attributes = dict(attributes)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        existing = span.attributes or {}
        for key, attribute in self._attributes.items():
            value = baggage.get_baggage(key, parent_context)
            if isinstance(value, str) and attribute not in existing:
                span.set_attribute(attribute, value[:VALUE_MAX_CHARS])


# Baggage may come from any client; the app's ids are shorter than this.
VALUE_MAX_CHARS = 128
