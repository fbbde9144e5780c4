"""Baggage as attributes: what the trace carries along is said on every span of it."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor


class BaggageAttributes(SpanProcessor):
    """Puts each key of `attributes` that is in baggage on a starting span, under the attribute that
    it maps to, unless the span has that one already."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._attributes = dict(attributes)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        known = span.attributes or {}
        for key, attribute in self._attributes.items():
            value = baggage.get_baggage(key, parent_context)
            if isinstance(value, str) and attribute not in known:
                span.set_attribute(attribute, value[:VALUE_MAX_CHARS])


# Baggage comes from anybody; an id of ours is shorter than this.
VALUE_MAX_CHARS = 128
