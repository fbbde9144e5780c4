"""Hop 12: a schedule carries no context, so the function that it starts declares a root."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.trace import SpanKind

from throughline import carrier
from throughline.invocation import Reception, Returned, traced


def on_schedule(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.scheduler_fn` calls when it is due.

    Apply it directly above `def`, because the SDK turns exceptions into responses. The span is a
    declared root. Work on one document belongs in that document's trace: see `rejoining`.
    """
    return traced(function, _receive)


def _receive(event: Any) -> Reception:
    return Reception(
        arrival=carrier.ABSENT,
        hop="schedule",
        carried_in=None,
        kind=SpanKind.CONSUMER,
        attributes={
            "throughline.root": "schedule",
            "faas.trigger": "timer",
            "faas.time": event.schedule_time.isoformat(),
        },
    )
