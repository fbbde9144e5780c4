"""Tests of the figures of `bench callers`."""

from __future__ import annotations

from benchmarks.callers import ENDPOINTS, Calls, summary


def test_each_endpoint_is_compared_with_no_tracing() -> None:
    """Latencies are differences of medians and of p95, throughput is a ratio of medians."""
    without = Calls([4.0] * 19 + [10.0], [100.0], [200.0, 100.0, 300.0])
    traced = Calls([7.0] * 19 + [30.0], [150.0], [160.0, 20.0, 170.0])
    figures = summary({"without": without, **dict.fromkeys(ENDPOINTS, traced)})
    assert figures["without_p50_ms"] == 4.0
    assert figures["without_requests_per_s_at_40"] == 200
    for name in ENDPOINTS:
        assert figures[f"{name}_added_p50_ms"] == 3.0
        assert figures[f"{name}_added_p95_ms"] > 3.0
        assert figures[f"{name}_throughput_ratio"] == 0.8
