"""The user's wait: from the start of a trace to the moment at which its user had the result.

Work may go on after it: messages are delivered again, a schedule looks at the subject once more.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from observatory.journey.conventions import Conventions
from observatory.schemas.journey import Row
from observatory.store.promotions import Promotions
from observatory.text_format import duration_text

# A root of these kinds is a request, whose sender waits for the response.
REQUEST_KINDS = frozenset({"SERVER", "CLIENT"})
# A later end of the trace is mentioned when it is this much later.
LATER_SHARE = 0.05


class Wait(NamedTuple):
    """When the user's wait ended, in milliseconds after the start of the trace.

    ``state`` is the state of the subject that ended it; None if its root or its last span did.
    ``last_state`` is the one that the subject reached last. ``waits_still``: neither is final.
    """

    ms: float
    state: str | None = None
    last_state: str | None = None
    waits_still: bool = False


def wait_of(
    rows: Sequence[Row],
    duration_ms: float,
    state: str | None,
    promotions: Promotions,
    conventions: Conventions,
) -> Wait:
    """Return when the user's wait ended.

    With a subject that has states, it is when the service of the root first learned of a final
    state, or of the last state if none is final. Otherwise it is the end of the root, if that is a
    request, or the end of the trace.

    Args:
        rows: the spans of one trace.
        duration_ms: from the first start to the last end.
        state: the state that the subject reached last; None if it has none.
        promotions: the promoted attributes.
        conventions: which states are final.
    """
    root = min(
        (row for row in rows if row["parent_span_id"] is None),
        key=lambda row: row["offset_ms"],
        default=None,
    )
    if state is not None and promotions.state is not None:
        attribute = promotions.state.attribute
        states = [(row["attributes"].get(attribute), row) for row in rows]
        final = [row for reached, row in states if conventions.tone(reached) is not None]
        last = [row for reached, row in states if reached == state]
        ending = _seen_by(root, final) or _seen_by(root, last)
        if ending:
            first = min(ending, key=_end)
            waits_still = bool(conventions.final_states) and not final
            return Wait(_end(first), str(first["attributes"][attribute]), state, waits_still)
    if root is not None and root["kind"] in REQUEST_KINDS:
        return Wait(min(duration_ms, _end(root)))
    return Wait(duration_ms)


def headline_of(wait: Wait, duration_ms: float, first: Row | None, spans: int) -> str:
    """Return how long the user waited, and for what.

    Args:
        wait: when the user's wait ended.
        duration_ms: from the first start to the last end.
        first: the root; None if it is not stored.
        spans: the number of spans.
    """
    took = duration_text(wait.ms)
    if spans == 1:
        return f"{took}, in a single span"
    if first is None:
        return f"{duration_text(duration_ms)} seen so far"
    if wait.state is None:
        if duration_ms <= wait.ms * (1 + LATER_SHARE):
            return f"{took} from {first['name']} to its last span"
        return f"{took} for {first['name']}, {duration_text(duration_ms)} to its last span"
    begin = "click" if first["party"] == "page" else first["name"]
    headline = f"{took} from {begin} to {wait.state}"
    if wait.waits_still:
        return f"{headline}, and no final state yet"
    return headline if wait.last_state == wait.state else f"{headline}, {wait.last_state} later"


def _seen_by(root: Row | None, rows: Iterable[Row]) -> list[Row]:
    """Return the rows of the root's service if there are any, else all of them."""
    rows = list(rows)
    return [row for row in rows if root is not None and row["service"] == root["service"]] or rows


def _end(row: Row) -> float:
    return row["offset_ms"] + row["duration_ms"]
