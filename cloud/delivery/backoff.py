"""When a failed event is retried, and when it is given up. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """The gaps double from `first_seconds` up to `max_seconds`; `attempts` counts the first one."""

    attempts: int = 5
    first_seconds: float = 0.5
    max_seconds: float = 10.0

    def gap_seconds(self, failed: int) -> float | None:
        """Return how long to wait after the `failed`th attempt failed; None means to give up."""
        if failed >= self.attempts:
            return None
        # Beyond 64 doublings the cap has long been reached, and a float would overflow.
        return min(self.first_seconds * 2.0 ** min(failed - 1, 64), self.max_seconds)
