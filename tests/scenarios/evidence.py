"""Which span of a scenario's traces is the one to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from observatory.schemas.journey import Journey, Row

Signature = Callable[[Sequence[Journey]], str | None]


def telling(signature: Signature, journeys: Sequence[Journey]) -> tuple[Journey, Row]:
    """The last span without which the signature would not be found; a function's, if one is.

    Where no single one decides, the first span that failed or had a log line, or just the first.
    """
    decisive = [
        (journey, row)
        for index, journey in enumerate(journeys)
        for row in journey["rows"]
        if signature([*journeys[:index], without(journey, row), *journeys[index + 1 :]]) is None
    ]
    invocations = [found for found in decisive if "faas.name" in found[1]["attributes"]]
    failed = [(journey, row) for journey in journeys for row in journey["rows"] if row["error"]]
    first = (journeys[0], journeys[0]["rows"][0])
    return (invocations or decisive or failed[:1] or [first])[-1]


def without(journey: Journey, row: Row) -> Journey:
    """A journey in which one span never came."""
    rows = [other for other in journey["rows"] if other["span_id"] != row["span_id"]]
    return {**journey, "rows": rows}
