"""Hop 13: nothing crosses Firebase Auth. What it calls before a user is created declares a root.

The user's later calls can link to it: see `claim`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.trace import SpanKind

from throughline import carrier
from throughline.invocation import Reception, Returned, traced


def on_auth(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a blocking function that `firebase_functions.identity_fn` calls with an Auth event.

    Goes directly above `def`, because the SDK turns exceptions into responses. The span is a root
    on purpose: Auth sends a signed token about the user, and nothing of the page's request.
    """
    return traced(function, _receive)


def _receive(event: Any) -> Reception:
    return Reception(
        arrival=carrier.ABSENT,
        hop="auth",
        carried_in=None,
        kind=SpanKind.SERVER,
        attributes={
            "throughline.root": "auth",
            "faas.trigger": "other",
            "faas.invocation_id": event.event_id,
            "cloudevents.event_id": event.event_id,
            "cloudevents.event_type": event.event_type,
        },
    )
