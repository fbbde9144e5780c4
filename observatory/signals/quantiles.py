"""Compute the quantiles of a histogram over time from the counts of its buckets."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from observatory.compare.selection import NANOS_PER_MS
from observatory.schemas.signals import Quantiles
from observatory.signals.points import Point, finite

Increase = tuple[int, tuple[float, ...], list[int]]


def quantiles_of(all_series: Sequence[Sequence[Point]], since_unix_nano: int = 0) -> Quantiles:
    """Return the quantiles at each time at which points were sent, over all series summed_counts.

    Cumulative counts are converted to the increase since the previous point. The first point of a
    series counts if the series started at ``since_unix_nano`` or later.
    """
    # The series of one process are sent at the same time; other processes have their own times.
    summed_counts: defaultdict[tuple[int, tuple[float, ...]], list[int]] = defaultdict(list)
    largest = _largest(all_series)
    for points in all_series:
        for time, bounds, counts in _increases(points, since_unix_nano):
            known = summed_counts[time, bounds]
            summed_counts[time, bounds] = (
                [one + other for one, other in zip(known, counts, strict=True)] if known else counts
            )
    quantile_inputs = sorted(summed_counts.items())
    return {
        "p50": [
            (time / NANOS_PER_MS, finite(_quantile(0.5, b, c, largest)))
            for (time, b), c in quantile_inputs
        ],
        "p95": [
            (time / NANOS_PER_MS, finite(_quantile(0.95, b, c, largest)))
            for (time, b), c in quantile_inputs
        ],
    }


def _increases(points: Sequence[Point], since_unix_nano: int) -> Iterator[Increase]:
    """Yield the time, bounds and bucket counts since the previous point, for each point."""
    filled = [point for point in points if point.bounds is not None and point.bucket_counts]
    is_delta = bool(filled) and filled[0].temporality == "delta"
    for number, point in enumerate(filled):
        if is_delta or (number == 0 and point.begins_series(since_unix_nano)):
            yield point.time_unix_nano, tuple(point.bounds or ()), list(point.bucket_counts or ())
    if is_delta:
        return
    for before, point in pairwise(filled):
        counts, earlier = list(point.bucket_counts or ()), list(before.bucket_counts or ())
        increases = [now - then for now, then in zip(counts, earlier, strict=False)]
        restarted = (
            before.bounds != point.bounds
            or any(count < 0 for count in increases)
            or point.restarts_after(before)
        )
        yield point.time_unix_nano, tuple(point.bounds or ()), counts if restarted else increases


def _largest(all_series: Sequence[Sequence[Point]]) -> float:
    """Return the largest value that was measured; infinite if a series does not report it."""
    maxima = [
        max((each.max_value for each in points if each.max_value is not None), default=math.inf)
        for points in all_series
        if any(point.bucket_counts for point in points)
    ]
    return max(maxima, default=math.inf)


def _quantile(
    share: float, bounds: Sequence[float], counts: Sequence[int], largest: float
) -> float | None:
    """Interpolate linearly within a bucket, up to the largest value that was measured.

    Beyond the last bound, return that bound.
    """
    total = sum(counts)
    if not total or not bounds:
        return None
    sums = list(accumulate(counts))
    bucket = bisect_left(sums, share * total)
    if bucket >= len(bounds):
        return min(bounds[-1], largest)
    low = bounds[bucket - 1] if bucket else min(0.0, bounds[0])
    below = sums[bucket - 1] if bucket else 0
    high = max(low, min(bounds[bucket], largest))
    return low + (high - low) * (share * total - below) / counts[bucket]
