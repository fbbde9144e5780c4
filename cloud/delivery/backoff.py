"""Computes when a failed event is retried and when it is given up. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff: the delays double from `first_seconds` up to `max_seconds`.

    `attempts` is the maximum number of attempts, the first one included.
    """

    attempts: int = 5
    first_seconds: float = 0.5
    max_seconds: float = 10.0

    def gap_seconds(self, failed: int) -> float | None:
        """Return the seconds to wait after the attempt number `failed`, or None to give up."""
        if failed >= self.attempts:
            return None
        # Beyond 64 doublings the cap has long been reached, and a float would overflow.
        return min(self.first_seconds * 2.0 ** min(failed - 1, 64), self.max_seconds)
