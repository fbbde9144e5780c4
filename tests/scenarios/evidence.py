"""Finds the span of a scenario's traces that best shows its cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from observatory.schemas.journey import Journey, Row

Signature = Callable[[Sequence[Journey]], str | None]


def decisive_span(signature: Signature, journeys: Sequence[Journey]) -> tuple[Journey, Row]:
    """Return the last span without which the signature does not match, preferably an invocation.

    If there is no such span, return the first that failed, or else the first of all.
    """
    decisive = [
        (journey, row)
        for index, journey in enumerate(journeys)
        for row in journey["rows"]
        if signature([*journeys[:index], without(journey, row), *journeys[index + 1 :]]) is None
    ]
    invocations = [pair for pair in decisive if "faas.name" in pair[1]["attributes"]]
    failed = [(journey, row) for journey in journeys for row in journey["rows"] if row["error"]]
    first = (journeys[0], journeys[0]["rows"][0])
    return (invocations or decisive or failed[:1] or [first])[-1]


def without(journey: Journey, row: Row) -> Journey:
    """Return a trace without one of its spans."""
    rows = [other for other in journey["rows"] if other["span_id"] != row["span_id"]]
    return {**journey, "rows": rows}
