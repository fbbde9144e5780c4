"""Two traces side by side: the same steps in both, what differs, and the main thing in words."""

from typing import cast

from observatory.journey.alignment import Pair, aligned
from observatory.journey.difference_sentence import sentence_of
from observatory.schemas.comparison import Diff, DiffRow, Head, Side, Verdict
from observatory.schemas.journey import Journey, Row
from observatory.store.promotions import NO_PROMOTIONS, Promotions

# What is neither this long nor this large a share of the step is no difference worth a word.
WORTH_MS = 5.0
WORTH_SHARE = 0.2


def difference_of(left: Journey, right: Journey, promotions: Promotions = NO_PROMOTIONS) -> Diff:
    """Align two journeys by hop (see ``alignment``).

    ``promotions`` are the promoted attributes whose fields the journeys have.
    """
    rows = [_diff_row(pair) for pair in aligned(left["rows"], right["rows"])]
    return {
        "left": _head(left, promotions),
        "right": _head(right, promotions),
        "skewed": left["skew"] is not None or right["skew"] is not None,
        "rows": rows,
        "sentence": sentence_of(left["duration_ms"], right["duration_ms"], rows),
    }


def _diff_row(pair: Pair) -> DiffRow:
    one = pair.one
    left, right = _side(pair.left), _side(pair.right)
    delta = _took(right) - _took(left) if left and right else None
    return {
        "key": pair.key,
        "hop": one["hop"],
        "service": one["service"],
        "name": one["name"],
        "depth": pair.depth,
        "left": left,
        "right": right,
        "delta_ms": delta,
        "verdict": _verdict(left, right),
    }


def _took(side: Side) -> float:
    return side["wait_ms"] + side["duration_ms"]


def _verdict(left: Side | None, right: Side | None) -> Verdict:
    if left is None:
        return "added"
    if right is None:
        return "missing"
    delta = _took(right) - _took(left)
    if abs(delta) < max(WORTH_MS, WORTH_SHARE * min(_took(left), _took(right))):
        return "same"
    return "slower" if delta > 0 else "faster"


def _side(row: Row | None) -> Side | None:
    if row is None:
        return None
    return {
        "span_id": row["span_id"],
        "offset_ms": row["offset_ms"],
        "duration_ms": row["duration_ms"],
        "wait_ms": row["wait"]["duration_ms"] if row["wait"] else 0.0,
        "error": row["error"],
    }


def _head(journey: Journey, promotions: Promotions) -> Head:
    head: Head = {
        "trace_id": journey["trace_id"],
        "root": journey["root"],
        "headline": journey["headline"],
        "started_at": journey["started_at"],
        "duration_ms": journey["duration_ms"],
        "spans": journey["spans"],
        "errors": journey["errors"],
        "orphans": journey["orphans"],
        "services": journey["services"],
    }
    promoted = {each.column for each in promotions.each}
    return cast("Head", head | {k: v for k, v in journey.items() if k in promoted})
