"""Two traces side by side: aligned steps, their differences, and a summary in words."""

from typing import cast

from observatory.journey.alignment import Pair, aligned
from observatory.journey.difference_sentence import difference_sentence
from observatory.schemas.comparison import Diff, DiffRow, DiffSide, DiffTrace, Verdict
from observatory.schemas.journey import Journey, Row
from observatory.store.promotions import NO_PROMOTIONS, Promotions

# A smaller difference, in milliseconds or as a share of the shorter step, counts as "same".
SIGNIFICANT_MS = 5.0
SIGNIFICANT_SHARE = 0.2


def difference_of(left: Journey, right: Journey, promotions: Promotions = NO_PROMOTIONS) -> Diff:
    """Compare two journeys step by step.

    Args:
        left: the journey to compare with.
        right: the journey that is slower, faster, or has steps missing or added.
        promotions: the promoted attributes whose fields the journeys have.
    """
    rows = [_diff_row(pair) for pair in aligned(left["rows"], right["rows"])]
    return {
        "left": _summary(left, promotions),
        "right": _summary(right, promotions),
        "skewed": left["skew"] is not None or right["skew"] is not None,
        "rows": rows,
        "sentence": difference_sentence(left["duration_ms"], right["duration_ms"], rows),
    }


def _diff_row(pair: Pair) -> DiffRow:
    row = pair.row
    left, right = _side(pair.left), _side(pair.right)
    delta = _total(right) - _total(left) if left and right else None
    return {
        "key": pair.key,
        "hop": row["hop"],
        "service": row["service"],
        "name": row["name"],
        "depth": pair.depth,
        "left": left,
        "right": right,
        "delta_ms": delta,
        "verdict": _verdict(left, right),
    }


def _total(side: DiffSide) -> float:
    return side["wait_ms"] + side["duration_ms"]


def _verdict(left: DiffSide | None, right: DiffSide | None) -> Verdict:
    if left is None:
        return "added"
    if right is None:
        return "missing"
    delta = _total(right) - _total(left)
    if abs(delta) < max(SIGNIFICANT_MS, SIGNIFICANT_SHARE * min(_total(left), _total(right))):
        return "same"
    return "slower" if delta > 0 else "faster"


def _side(row: Row | None) -> DiffSide | None:
    if row is None:
        return None
    return {
        "span_id": row["span_id"],
        "offset_ms": row["offset_ms"],
        "duration_ms": row["duration_ms"],
        "wait_ms": row["wait"]["duration_ms"] if row["wait"] else 0.0,
        "error": row["error"],
    }


def _summary(journey: Journey, promotions: Promotions) -> DiffTrace:
    summary: DiffTrace = {
        "trace_id": journey["trace_id"],
        "root": journey["root"],
        "headline": journey["headline"],
        "started_at": journey["started_at"],
        "duration_ms": journey["duration_ms"],
        "state_tone": journey["state_tone"],
        "spans": journey["spans"],
        "errors": journey["errors"],
        "orphans": journey["orphans"],
        "services": journey["services"],
        "truncated": journey["truncated"],
    }
    promoted = {each.column for each in promotions.each}
    return cast("DiffTrace", summary | {k: v for k, v in journey.items() if k in promoted})
