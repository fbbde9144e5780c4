"""Purchases while the Observatory hangs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from observatory.client import Observatory
from tests.addresses import StackUnderTest
from tests.buyer import BoxOffice, Buyer, new_traceparent
from tests.spans import has_spans

STAGES = 4
# Each stage exports its spans, then its log records; see throughline/telemetry.py.
EXPORT_TIMEOUTS_SECONDS = STAGES * 2 * 1.0
ALL_STAGES = has_spans(
    ("reserve", "reserve"), ("charge", "charge"), ("settle", "settle"), ("issue", "issue")
)


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Suspend a process while the block runs: its port accepts connections but never answers."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_hanging_observatory_costs_a_bounded_delay_and_nothing_else(
    under_test: StackUnderTest,
    buyer: Buyer,
    box_office: BoxOffice,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> None:
    """The order is ticketed within the export timeouts; afterwards traces are complete again."""
    show_id = open_show(seats=100)

    def purchase_seconds(traceparent: str) -> float:
        began = time.monotonic()
        order_id = buyer.place(show_id=show_id, _trace={"traceparent": traceparent})
        assert box_office.wait_for(order_id, seconds=60)["state"] == "ticketed"
        return time.monotonic() - began

    usual = max(purchase_seconds(new_traceparent()) for _ in range(3))
    with suspended(under_test.observatory_pid):
        first = purchase_seconds(new_traceparent())
        # After a failed export, a stage buffers its telemetry until the next retry.
        second = purchase_seconds(new_traceparent())
    assert first < EXPORT_TIMEOUTS_SECONDS + 3 * usual + 5
    assert second < 3 * usual + 5

    deadline = time.monotonic() + 90
    while True:
        traceparent = new_traceparent()
        purchase_seconds(traceparent)
        try:
            observatory.wait_for_trace(traceparent.split("-")[1], ALL_STAGES, 3)
        except TimeoutError:
            assert time.monotonic() < deadline, "no complete trace within 90 s of the resumption"
        else:
            return
