"""Tests of the figures of `bench callers`."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.callers import ENDPOINTS, Calls, breakdown, summary
from benchmarks.cpu_time import cpu_seconds


def calls(
    p50_ms: float, rate: float, cpu_ms: float | None = 0.0, observatory_cpu_ms: float = 0.0
) -> Calls:
    """Return measurements with these medians, and a p95 above the median."""
    latencies = [p50_ms] * 19 + [4 * p50_ms]
    return Calls(latencies, [10 * p50_ms], [rate, rate / 2, 2 * rate], cpu_ms, observatory_cpu_ms)


def test_each_endpoint_is_compared_with_no_tracing() -> None:
    """Latencies are differences of medians and of p95, throughput is a ratio of medians."""
    traced = {f"quote_{name}": calls(7.0, 160.0) for name in ENDPOINTS}
    figures = summary({"quote_without": calls(4.0, 200.0), **traced})
    assert figures["quote_without_p50_ms"] == 4.0
    assert figures["quote_without_requests_per_s_at_40"] == 200
    for name in traced:
        assert figures[f"{name}_added_p50_ms"] == 3.0
        assert figures[f"{name}_added_p95_ms"] > 0.0
        assert figures[f"{name}_throughput_ratio"] == 0.8


def test_the_slow_endpoint_is_compared_with_what_eight_threads_can_do() -> None:
    """Eight threads that each take 100 ms for a request answer 80 a second at most."""
    figures = summary({"quote_without": calls(4.0, 200.0), "quote_slow": calls(100.0, 72.0)})
    assert figures["quote_slow_requests_per_s_limit"] == 80
    assert figures["quote_slow_throughput_to_limit"] == 0.9


def test_an_event_function_has_the_time_for_which_it_is_held() -> None:
    """Each event is sent alone, so there is no throughput."""
    held = Calls([5.0], [], [])
    figures = summary({"audit_without": held, "audit_slow": Calls([107.0], [], [])})
    assert figures["audit_slow_added_p50_ms"] == 102.0
    assert not [name for name in figures if "per_s" in name]


def test_the_breakdown_adds_up() -> None:
    """Each step is the difference of two servers; the Observatory's share is its own."""
    measured = {
        "quote_without": calls(1, 1, 2.0),
        "quote_sdk": calls(1, 1, 2.5),
        "quote_code": calls(1, 1, 2.6),
        "quote_instant": calls(1, 1, 3.4),
        "quote_observatory": calls(1, 1, 3.5, 0.9),
    }
    assert breakdown(measured) == {
        "quote_cpu_ms": 2.0,
        "sdk_cpu_ms": 0.5,
        "code_attributes_cpu_ms": 0.1,
        "delivery_cpu_ms": 0.8,
        "observatory_cpu_ms": 0.9,
    }
    measured["quote_sdk"].cpu_ms = None
    assert breakdown(measured) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_processor_time_includes_a_groups_processes() -> None:
    """A process that computes uses some, and one that waits does not."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"], process_group=0)
    idle = subprocess.Popen(["sleep", "60"], process_group=0)
    try:
        deadline = time.monotonic() + 30
        while not (cpu_seconds(busy.pid) or 0) > 0.05:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert cpu_seconds(idle.pid) == pytest.approx(0, abs=0.04)
    finally:
        for process in (busy, idle):
            process.kill()
            process.wait()
    assert cpu_seconds(os.getpgrp()) is not None
