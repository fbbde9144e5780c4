"""The critical path: the chain of spans and waits that determined when a trace ended.

It is followed backwards from the span that ended last. Before a span's end come the calls that it
waited for, each followed likewise; the time between them is the span's own. Before its start comes
the span that caused it, with a wait in between if the cause had already ended.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from observatory.schemas.journey import PathSegment, Row

RECEIVING_KINDS = frozenset({"SERVER", "CONSUMER"})
# Hops whose receiver runs independently of the sender, so that the sender never waits for it.
DETACHED_HOPS = frozenset({"trigger", "task", "pubsub", "eventarc", "listener", "webhook"})


def critical_path_of(rows: Sequence[Row], trace_id: str) -> list[PathSegment]:
    """Return the segments of the critical path, in order of time.

    Args:
        rows: the spans of one trace.
        trace_id: the id of the trace, to recognise links within it.
    """
    if not rows:
        return []
    by_id = {row["span_id"]: row for row in rows}
    causes = {row["span_id"]: _causes(row, by_id, trace_id) for row in rows}
    waited_for = _waited_for(rows, by_id)
    path: list[PathSegment] = []
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
        # Each cause is followed once, so that a cycle of parents ends.
        causes[at["span_id"]] = [other for other in causes[at["span_id"]] if other is not cause]
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
    """Return the spans that each span may have waited for, in the order of their ends.

    These are its synchronous calls, and the listener spans that notified it. The consumer of a
    message is not among them, because the sender does not wait for it.
    """
    waited_for: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=_end):
        if row["hop"] == "listener":
            waiting = _notified(row, by_id)
        else:
            waiting = None if _detached(row) else by_id.get(row["parent_span_id"] or "")
        if waiting is not None and waiting is not row:
            waited_for[waiting["span_id"]].append(row)
    return waited_for


def _notified(listener: Row, by_id: Mapping[str, Row]) -> Row | None:
    """Return the span that a listener span notified.

    It is the listener's nearest ancestor in the same service that had not ended before it.
    """
    seen = set()
    ancestor = by_id.get(listener["parent_span_id"] or "")
    while ancestor is not None and ancestor["span_id"] not in seen:
        if ancestor["service"] == listener["service"] and _end(ancestor) >= _end(listener):
            return ancestor
        seen.add(ancestor["span_id"])
        ancestor = by_id.get(ancestor["parent_span_id"] or "")
    return None


def _last_ended(candidates: list[Row], begin: float, now: float) -> Row | None:
    # ``now`` only decreases, so a candidate that ends after it is never needed again.
    while candidates and _end(candidates[-1]) > now:
        candidates.pop()
    if candidates and _end(candidates[-1]) > begin:
        return candidates.pop()
    return None


def _causes(row: Row, by_id: Mapping[str, Row], trace_id: str) -> list[Row]:
    """Return a span's parent and, if it receives, the spans of this trace that it links to."""
    cause_ids = [row["parent_span_id"]]
    if row["kind"] in RECEIVING_KINDS:
        cause_ids += [link["span_id"] for link in row["links"] if link["trace_id"] == trace_id]
    causes = (by_id.get(span_id or "") for span_id in cause_ids)
    return [cause for cause in causes if cause is not None and cause is not row]


def _cause_of(causes: Sequence[Row], now: float) -> Row | None:
    """Return the cause that was running, or had ended last, when the span began."""
    begun = [cause for cause in causes if cause["offset_ms"] <= now] or list(causes)
    return max(begun, key=lambda cause: (min(_end(cause), now), cause["offset_ms"]), default=None)


def _add(
    path: list[PathSegment], row: Row, begin: float, end: float, kind: Literal["run", "wait"]
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
