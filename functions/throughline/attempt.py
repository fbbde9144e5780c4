"""The number of an event's delivery attempt, if the sender includes it in the request.

Two headers carry it: the attempt's number, from 1, and the context of the first attempt's span.
The local stack sends both. Google's platform sends neither, so spans in production lack the
attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opentelemetry.trace import Link
from opentelemetry.util.types import AttributeValue

from throughline import carrier

ATTEMPT_HEADER = "x-throughline-delivery-attempt"
FIRST_ATTEMPT_HEADER = "x-throughline-first-attempt"
ATTRIBUTE = "throughline.delivery.attempt"

_DIGITS_MAX = 4


@dataclass(frozen=True)
class Attempt:
    """The span attributes and links of an attempt; both are empty if it is unknown."""

    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    links: tuple[Link, ...] = ()


def read(headers: Mapping[str, str]) -> Attempt:
    """Read both headers from a mapping with lowercase names; a malformed one is ignored."""
    number = headers.get(ATTEMPT_HEADER, "")
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS_MAX and int(number)):
        return Attempt()
    first = carrier.read({"traceparent": headers.get(FIRST_ATTEMPT_HEADER)}).span_context
    links = (Link(first, {"throughline.link": "first-attempt"}),) if first else ()
    return Attempt({ATTRIBUTE: int(number)}, links)
