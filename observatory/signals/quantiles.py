"""Compute the quantiles of a histogram over time from the counts of its buckets."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from observatory.compare.selection import NANOS_PER_MS
from observatory.schemas.signals import Quantiles
from observatory.signals.points import Point, finite

Growth = tuple[int, tuple[float, ...], list[int]]


def quantiles_of(all_series: Sequence[Sequence[Point]], since_unix_nano: int = 0) -> Quantiles:
    """Return the quantiles at each time at which points were sent, over all series together.

    Of cumulative counts the growth since the previous point is taken; of the first point of a
    series that started at ``since_unix_nano`` or later, the growth since the start.
    """
    # The series of one process are sent at the same time; other processes have their own times.
    together: defaultdict[tuple[int, tuple[float, ...]], list[int]] = defaultdict(list)
    for points in all_series:
        for time, bounds, counts in _growth(points, since_unix_nano):
            known = together[time, bounds]
            together[time, bounds] = (
                [one + other for one, other in zip(known, counts, strict=True)] if known else counts
            )
    moments = sorted(together.items())
    return {
        "p50": [(time / NANOS_PER_MS, finite(_quantile(0.5, b, c))) for (time, b), c in moments],
        "p95": [(time / NANOS_PER_MS, finite(_quantile(0.95, b, c))) for (time, b), c in moments],
    }


def _growth(points: Sequence[Point], since_unix_nano: int) -> Iterator[Growth]:
    """Yield for each point the counts since the one before."""
    filled = [point for point in points if point.bounds is not None and point.bucket_counts]
    is_delta = bool(filled) and filled[0].temporality == "delta"
    for number, point in enumerate(filled):
        if is_delta or (number == 0 and point.begins_series(since_unix_nano)):
            yield point.time_unix_nano, tuple(point.bounds or ()), list(point.bucket_counts or ())
    if is_delta:
        return
    for before, point in pairwise(filled):
        counts, earlier = list(point.bucket_counts or ()), list(before.bucket_counts or ())
        grown = [now - then for now, then in zip(counts, earlier, strict=False)]
        restarted = (
            before.bounds != point.bounds
            or any(count < 0 for count in grown)
            or point.restarts_after(before)
        )
        yield point.time_unix_nano, tuple(point.bounds or ()), counts if restarted else grown


def _quantile(share: float, bounds: Sequence[float], counts: Sequence[int]) -> float | None:
    """Interpolate linearly within a bucket; beyond the last bound, return that bound."""
    total = sum(counts)
    if not total or not bounds:
        return None
    sums = list(accumulate(counts))
    bucket = bisect_left(sums, share * total)
    if bucket >= len(bounds):
        return bounds[-1]
    low = bounds[bucket - 1] if bucket else min(0.0, bounds[0])
    below = sums[bucket - 1] if bucket else 0
    return low + (bounds[bucket] - low) * (share * total - below) / counts[bucket]
