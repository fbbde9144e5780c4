"""Tests of the delays between retries."""

from __future__ import annotations

from cloud.delivery.backoff import Backoff


def test_delays_double_up_to_the_maximum_and_end_with_the_last_attempt() -> None:
    """Five attempts have four delays between them."""
    assert [Backoff().gap_seconds(failed) for failed in range(1, 7)] == [0.5, 1, 2, 4, None, None]
    patient = Backoff(attempts=2000)
    assert [patient.gap_seconds(failed) for failed in (5, 6, 7, 1999)] == [8, 10, 10, 10]


def test_a_single_attempt_is_not_retried() -> None:
    assert Backoff(attempts=1).gap_seconds(1) is None
