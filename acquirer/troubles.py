"""Test cards with which it is the processor that has a bad day, and not the card.

For a merchant who wants to see what they do about it. All three are approved in the end.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import cards

SLOW_BANK_SECONDS = 6.0
LATE_ANSWER_SECONDS = 6.5
OUTAGE_SECONDS = 2.0
# And until nobody has asked for so long: under a flood nothing comes up again.
LULL_SECONDS = 0.3
# A card that was left alone for so long has its bad day anew.
REST_SECONDS = 30.0


class Troubles:
    """Which requests to charge a card meet trouble, and how many came for each card."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._up: set[str] = set()
        self._asked: Counter[str] = Counter()

    def asked(self, token: str) -> str | None:
        """Count a request to charge `token`; returns "down" or "late" where it meets trouble.

        Down: no answer but 503, for `OUTAGE_SECONDS` from the first request on, and then until the
        first that comes after a lull. Late: the first request is taken at once and answered after
        `LATE_ANSWER_SECONDS`.
        """
        with self._lock:
            now = self._clock()
            self._asked[token] += 1
            since_last = now - self._last.get(token, -REST_SECONDS)
            first = since_last >= REST_SECONDS
            self._last[token] = now
            if first:
                self._began[token] = now
                self._up.discard(token)
            if now - self._began[token] >= OUTAGE_SECONDS and since_last >= LULL_SECONDS:
                self._up.add(token)
            match cards.outcome_of(token):
                case "unavailable" if token not in self._up:
                    return "down"
                case "late_answer" if first:
                    return "late"
        return None

    def usage(self) -> dict[str, int]:
        """How many requests to charge each token came; processors bill by them."""
        with self._lock:
            return dict(self._asked)
