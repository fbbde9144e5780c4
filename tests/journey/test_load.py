"""The load, small: many orders at once whose events come twice, late and not at first."""

from __future__ import annotations

from pathlib import Path

from stack.crowd import Load, run
from stack.reckoning import Parts, broken
from tests.addresses import Addresses

CHAOS = {"seed": 3, "duplicate_rate": 0.2, "reorder_rate": 0.2, "fail_rate": 0.1}


def test_no_order_and_no_span_is_lost_under_load(addresses: Addresses) -> None:
    """Thirty orders, six at a time: what was sold is right, and every span is in a whole trace."""
    parts = Parts(
        project=addresses.project,
        auth=addresses.auth,
        firestore=addresses.firestore,
        acquirer=addresses.acquirer,
        observatory=addresses.observatory,
        redelivery=addresses.redelivery,
        functions_log=Path(addresses.folder) / "firebase.log",
    )
    found = run(parts, Load(orders=30, concurrency=6, seats=None, chaos=CHAOS))
    figures = found.figures
    assert broken(figures) == [], found.details
    assert (figures["orders"], figures["final"], figures["lost"]) == (30, 30, 0), figures
    assert (figures["oversold"], figures["double_charged"]) == (0, 0), figures
    assert (figures["coverage"], figures["orphans"]) == (1.0, 0), figures
    # Two of the page's for each order, and of each order at the very least that it was reserved.
    assert figures["spans_stored"] == figures["spans_expected"] > 3 * 30, figures
    assert 0 < figures["p50_s"] <= figures["p95_s"], figures
