"""Hop 13: Firebase Auth carries no context, so a blocking function's span is a declared root.

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

    Apply it directly above `def`, because the SDK turns exceptions into responses. The span is a
    declared root: Auth sends a signed token about the user, and nothing of the page's request.
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
