"""The critical path: what the end of a journey waited for, stretch after stretch.

It is followed backwards from the span that ended last. A span's time is its own from the end of
the last thing it waited for; what it waited for comes before; and before the span began there is
the span that caused it, with a wait between them where the cause had ended by then.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from observatory.schemas.journey import CriticalStretch, Row

RECEIVING_KINDS = frozenset({"SERVER", "CONSUMER"})
# A callback is sent, answered and over long before what it calls back begins.
DETACHED_HOPS = frozenset({"trigger", "task", "pubsub", "eventarc", "listener", "webhook"})


def critical_path_of(rows: Sequence[Row], trace_id: str) -> list[CriticalStretch]:
    """The stretches that the end waited for, in the order of time.

    Args:
        rows: the spans of one trace.
        trace_id: its id, by which links within it are known.
    """
    if not rows:
        return []
    by_id = {row["span_id"]: row for row in rows}
    causes = {row["span_id"]: _causes(row, by_id, trace_id) for row in rows}
    waited_for = _waited_for(rows, by_id)
    path: list[CriticalStretch] = []
    at: Row | None = max(rows, key=_end)
    now = _end(at) if at else 0.0
    while at is not None:
        begin = at["offset_ms"]
        before = _last_ended(waited_for[at["span_id"]], begin, now)
        if before is not None:
            _add(path, at, _end(before), now, "run")
            at, now = before, _end(before)
            continue
        _add(path, at, begin, now, "run")
        now = min(now, begin)
        cause = _cause_of(causes[at["span_id"]], now)
        if cause is None:
            break
        # Each cause is followed once, so a circle of parents ends.
        causes[at["span_id"]] = [one for one in causes[at["span_id"]] if one is not cause]
        if _end(cause) < now:
            _add(path, at, _end(cause), now, "wait")
            now = _end(cause)
        at = cause
    return path[::-1]


def _end(row: Row) -> float:
    return row["offset_ms"] + row["duration_ms"]


def _detached(row: Row) -> bool:
    return row["kind"] == "CONSUMER" or (
        row["kind"] in RECEIVING_KINDS and row["hop"] in DETACHED_HOPS
    )


def _waited_for(rows: Sequence[Row], by_id: Mapping[str, Row]) -> defaultdict[str, list[Row]]:
    """What each span may have waited for, in the order of ends: the calls it made, and what told
    its listener. Nobody waits for those who take a message later."""
    waited_for: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=_end):
        if row["hop"] == "listener":
            waiting = _listening(row, by_id)
        else:
            waiting = None if _detached(row) else by_id.get(row["parent_span_id"] or "")
        if waiting is not None and waiting is not row:
            waited_for[waiting["span_id"]].append(row)
    return waited_for


def _listening(told: Row, by_id: Mapping[str, Row]) -> Row | None:
    """The nearest span above a listener's that is of the same service and went on until then."""
    seen = set()
    above = by_id.get(told["parent_span_id"] or "")
    while above is not None and above["span_id"] not in seen:
        if above["service"] == told["service"] and _end(above) >= _end(told):
            return above
        seen.add(above["span_id"])
        above = by_id.get(above["parent_span_id"] or "")
    return None


def _last_ended(candidates: list[Row], begin: float, now: float) -> Row | None:
    # Time only goes back, so what ends after now will not be asked for again.
    while candidates and _end(candidates[-1]) > now:
        candidates.pop()
    if candidates and _end(candidates[-1]) > begin:
        return candidates.pop()
    return None


def _causes(row: Row, by_id: Mapping[str, Row], trace_id: str) -> list[Row]:
    """Its parent and, for what came by a hop, the spans of this trace that it links to."""
    named = [row["parent_span_id"]]
    if row["kind"] in RECEIVING_KINDS:
        named += [link["span_id"] for link in row["links"] if link["trace_id"] == trace_id]
    found = (by_id.get(span_id or "") for span_id in named)
    return [cause for cause in found if cause is not None and cause is not row]


def _cause_of(causes: Sequence[Row], now: float) -> Row | None:
    """The cause that was last at work when the span began."""
    begun = [cause for cause in causes if cause["offset_ms"] <= now] or list(causes)
    return max(begun, key=lambda cause: (min(_end(cause), now), cause["offset_ms"]), default=None)


def _add(
    path: list[CriticalStretch], row: Row, begin: float, end: float, kind: Literal["run", "wait"]
) -> None:
    if end <= begin:
        return
    last = path[-1] if path else None
    if last is not None and (last["span_id"], last["kind"]) == (row["span_id"], kind):
        last["offset_ms"], last["duration_ms"] = begin, last["duration_ms"] + end - begin
        return
    path.append(
        {
            "span_id": row["span_id"],
            "offset_ms": begin,
            "duration_ms": end - begin,
            "kind": kind,
        }
    )
