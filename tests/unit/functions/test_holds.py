"""The limits of unpaid orders, of a buyer and of a show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from boxoffice.holds import Admission, Counters, Limits, counted_with, show_limit

LIMITS = Limits(orders=3, seats=12, share=0.5, stall_seconds=6)
NOW = datetime(2026, 1, 1, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("orders", "seats", "asked"), [(0, 0, 8), (2, 4, 8), (2, 11, 1), (1, 0, 8)]
)
def test_a_buyer_within_the_limits_may_order(orders: int, seats: int, asked: int) -> None:
    """The limits themselves are allowed."""
    assert Counters(orders, seats).rejection(asked, LIMITS) is None


def test_a_buyer_with_too_many_unpaid_orders_is_told_the_numbers() -> None:
    rejection = Counters(orders=3, seats=3).rejection(1, LIMITS)
    assert rejection == {"reason": "too_many_orders", "limit": 3, "held": 3}


def test_a_buyer_with_too_many_unpaid_seats_is_told_the_numbers() -> None:
    rejection = Counters(orders=2, seats=11).rejection(2, LIMITS)
    assert rejection == {"reason": "too_many_seats", "limit": 12, "held": 11}


@pytest.mark.parametrize(
    ("held", "asked", "total", "admission"),
    [
        (0, 8, 60, Admission.HELD),
        (22, 8, 60, Admission.HELD),
        (23, 8, 60, Admission.UNHELD),
        (30, 1, 60, Admission.UNHELD),
        (0, 1, 1, Admission.UNHELD),
        (0, 1, 3, Admission.HELD),
        (0, 2, 3, Admission.UNHELD),
    ],
)
def test_unpaid_orders_hold_at_most_their_share_of_a_show(
    held: int, asked: int, total: int, admission: Admission
) -> None:
    """The share is rounded down; what exceeds it is accepted without a hold."""
    counters = Counters(held=held, progress_at=NOW)
    assert counters.admission(asked, total - held, total, NOW, LIMITS) is admission
    assert show_limit(total, LIMITS) <= total / 2


def test_while_payments_come_no_more_orders_are_accepted_than_there_are_seats() -> None:
    """Ten seats are left, and orders without a hold speak for nine of them."""
    counters = Counters(held=10, unheld=9, progress_at=NOW - timedelta(seconds=5.9))
    assert counters.admission(1, 10, 20, NOW, LIMITS) is Admission.UNHELD
    assert counters.admission(2, 10, 20, NOW, LIMITS) is None


@pytest.mark.parametrize(
    ("without_payment", "failed_ago", "is_stalled"),
    [(5.9, 1, False), (6, 1, True), (6, 7, False), (6, None, False), (24, None, True)],
)
def test_unpaid_orders_that_stall_keep_nobody_out(
    without_payment: float, failed_ago: float | None, is_stalled: bool
) -> None:
    """After six seconds with a failure and no payment another order may take its chance; without
    a failure the payments may just be slow."""
    counters = Counters(
        held=10,
        unheld=10,
        progress_at=NOW - timedelta(seconds=without_payment),
        failed_at=None if failed_ago is None else NOW - timedelta(seconds=failed_ago),
    )
    expected = Admission.OVERBOOKED if is_stalled else None
    assert counters.admission(8, 10, 20, NOW, LIMITS) is expected


def test_a_hold_that_is_freed_is_not_taken_from_orders_without_one() -> None:
    """The share has room, but the seats are spoken for by orders that were accepted before."""
    counters = Counters(held=5, unheld=10, progress_at=NOW)
    assert counters.admission(1, 10, 20, NOW, LIMITS) is None


@pytest.mark.parametrize(
    ("admission", "held", "unheld"),
    [(Admission.HELD, 4, 0), (Admission.UNHELD, 0, 4), (Admission.OVERBOOKED, 0, 0)],
)
def test_an_overbooked_order_counts_for_its_buyer_only(
    admission: Admission, held: int, unheld: int
) -> None:
    """So that its payment does not look as if the stalled orders were paid for."""
    order = {"uid": "alice", "show_id": "night-ferry", "seats": 4, "state": "placed"}
    assert counted_with(order, admission) == {
        "uid": "alice",
        "show_id": "night-ferry",
        "seats": 4,
        "held": held,
        "unheld": unheld,
    }
