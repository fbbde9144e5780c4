"""The quantiles of a histogram over time, from the counts of its buckets."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from observatory.compare.selection import NANOS_PER_MS
from observatory.schemas.signals import Quantiles
from observatory.signals.points import Point, finite

Grown = tuple[int, tuple[float, ...], list[int]]


def quantiles_of(all_series: Sequence[Sequence[Point]]) -> Quantiles:
    """The quantiles at each moment at which points were sent, over all series together.

    Of counts that go on from point to point, what came since the point before is taken.
    """
    # Series of one process are sent at the same moment; those of others have their own.
    together: defaultdict[tuple[int, tuple[float, ...]], list[int]] = defaultdict(list)
    for points in all_series:
        for time, bounds, counts in _grown(points):
            known = together[time, bounds]
            together[time, bounds] = (
                [one + other for one, other in zip(known, counts, strict=True)] if known else counts
            )
    moments = sorted(together.items())
    return {
        "p50": [(time / NANOS_PER_MS, finite(_quantile(0.5, b, c))) for (time, b), c in moments],
        "p95": [(time / NANOS_PER_MS, finite(_quantile(0.95, b, c))) for (time, b), c in moments],
    }


def _grown(points: Sequence[Point]) -> Iterator[Grown]:
    """The counts of each point's own time."""
    told = [point for point in points if point.bounds is not None and point.bucket_counts]
    if told and told[0].temporality == "delta":
        for point in told:
            yield point.time_unix_nano, tuple(point.bounds or ()), list(point.bucket_counts or ())
        return
    for before, point in pairwise(told):
        counts, earlier = list(point.bucket_counts or ()), list(before.bucket_counts or ())
        grown = [now - then for now, then in zip(counts, earlier, strict=False)]
        restarted = before.bounds != point.bounds or any(count < 0 for count in grown)
        yield point.time_unix_nano, tuple(point.bounds or ()), counts if restarted else grown


def _quantile(share: float, bounds: Sequence[float], counts: Sequence[int]) -> float | None:
    """Within a bucket, values are taken to lie evenly; beyond the last bound there is only that."""
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
