"""Statistics of the benchmarks: percentiles, ratios and their intervals."""

from __future__ import annotations

import random
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


def paired_ratios(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the median of the pairs' ratios and its 95 % interval, by bootstrap.

    Each pair is a measurement with something and one without it, taken close together. The interval
    is of the medians of 10,000 samples of as many pairs, drawn with replacement and a fixed seed.
    """
    values = [with_it / without for with_it, without in pairs]
    draw = random.Random(1).choices  # noqa: S311  (not for security)
    medians = sorted(statistics.median(draw(values, k=len(values))) for _ in range(_SAMPLES))
    return {
        "n": len(values),
        "median_ratio": round(statistics.median(values), 3),
        "median_ratio_low": round(medians[round(0.025 * (_SAMPLES - 1))], 3),
        "median_ratio_high": round(medians[round(0.975 * (_SAMPLES - 1))], 3),
    }


_SAMPLES = 10_000
