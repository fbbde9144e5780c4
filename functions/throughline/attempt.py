"""Which delivery attempt of its event an invocation is, where the deliverer sends that.

Two headers carry it: the attempt's number, 1 for the first, and the context of the first attempt's
span. Google's platform sends neither, so spans in production have no such attribute.
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
    """The attributes and links of an attempt for its span; empty where it is not known."""

    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    links: tuple[Link, ...] = ()


def read(headers: Mapping[str, str]) -> Attempt:
    """Read both headers, given by lowercase name; a malformed one counts as not sent."""
    number = headers.get(ATTEMPT_HEADER, "")
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS_MAX and int(number)):
        return Attempt()
    first = carrier.read({"traceparent": headers.get(FIRST_ATTEMPT_HEADER)}).span_context
    links = (Link(first, {"throughline.link": "first-attempt"}),) if first else ()
    return Attempt({ATTRIBUTE: int(number)}, links)
