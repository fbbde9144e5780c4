"""When a failed event is delivered again."""

from __future__ import annotations

from cloud.delivery.backoff import Backoff


def test_the_gaps_double_up_to_the_cap_and_end_with_the_attempts() -> None:
    """Five attempts have four gaps between them."""
    assert [Backoff().gap_seconds(failed) for failed in range(1, 7)] == [0.5, 1, 2, 4, None, None]
    patient = Backoff(attempts=2000)
    assert [patient.gap_seconds(failed) for failed in (5, 6, 7, 1999)] == [8, 10, 10, 10]


def test_one_attempt_is_the_last() -> None:
    """Who wants no redelivery has none."""
    assert Backoff(attempts=1).gap_seconds(1) is None
