"""From a user's creation to what that user does later: the way back that a token can carry.

Firebase Auth takes custom claims from a blocking function and puts them into every ID token of that
user, so a later call can name the span that created its caller. It links it and never joins it: a
user is created once, and their calls go on for years.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace

from throughline import carrier

CLAIM = "throughline"


def user_claim() -> dict[str, str]:
    """The claim to give a new user, whom the current span creates; empty outside a span.

    Firebase allows 1,000 bytes of custom claims; this takes 72.
    """
    context = carrier.write()
    return {CLAIM: context["traceparent"]} if context else {}


def links(token: Mapping[str, Any] | None) -> list[trace.Link]:
    """A link to the span that created the user whom this verified, decoded ID token is of."""
    created = carrier.read({"traceparent": (token or {}).get(CLAIM)}).span_context
    return [trace.Link(created, {"throughline.link": "user"})] if created else []
