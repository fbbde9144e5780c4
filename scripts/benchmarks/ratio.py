"""Statistics of the benchmarks: percentiles and ratios."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile, interpolated between the values."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def ratios(with_it: Sequence[float], without: Sequence[float]) -> dict[str, float]:
    """Return `median_ratio` and `p95_ratio` of the values with something to those without it."""
    return {
        "median_ratio": round(statistics.median(with_it) / statistics.median(without), 3),
        "p95_ratio": round(p95(with_it) / p95(without), 3),
    }
