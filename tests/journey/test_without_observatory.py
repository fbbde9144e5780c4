"""A purchase while nobody takes the telemetry: a bounded delay, and that is all."""

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
# Each stage flushes its spans, then its log records; see throughline/telemetry.py.
EXPORT_TIMEOUTS_SECONDS = STAGES * 2 * 1.0
ALL_STAGES = has_spans(
    ("reserve", "reserve"), ("charge", "charge"), ("settle", "settle"), ("issue", "issue")
)


@contextmanager
def silenced(pid: int) -> Iterator[None]:
    """Stop a process, as one that hangs: its port takes connections, and nobody answers."""
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
    """The order is ticketed within the export timeouts; afterwards traces are whole again."""
    show_id = open_show(seats=100)

    def purchase(traceparent: str) -> float:
        began = time.monotonic()
        order_id = buyer.place(show_id=show_id, _trace={"traceparent": traceparent})
        assert box_office.wait_for(order_id, seconds=60)["state"] == "ticketed"
        return time.monotonic() - began

    usual = max(purchase(new_traceparent()) for _ in range(3))
    with silenced(under_test.observatory_pid):
        hanging = purchase(new_traceparent())
        # By now every stage knows, and doesn't even try.
        afterwards = purchase(new_traceparent())
    assert hanging < EXPORT_TIMEOUTS_SECONDS + 3 * usual + 5
    assert afterwards < 3 * usual + 5

    deadline = time.monotonic() + 90
    while True:
        traceparent = new_traceparent()
        purchase(traceparent)
        try:
            observatory.wait_for_trace(traceparent.split("-")[1], ALL_STAGES, 3)
        except TimeoutError:
            assert time.monotonic() < deadline, "telemetry did not come back"
        else:
            return
