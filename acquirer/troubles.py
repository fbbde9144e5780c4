"""Test cards with which it is the processor that has a bad day, and not the card.

For a merchant who wants to see what they do about it. All three are approved in the end. The code
that takes a charge does not know of them: a decorator brings the trouble.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import cards
from charges import Book, Charge

Answer = tuple[dict[str, Any], int]
TakeCharge = Callable[[Book, dict[str, Any], str], Answer]
AskBank = Callable[[Charge], str | None]

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


_troubles = Troubles()


def usage() -> dict[str, int]:
    """Return how many requests to charge each token came to this process."""
    return _troubles.usage()


def of_processor(take_charge: TakeCharge) -> TakeCharge:
    """Have the processor be down, or answer late, for the test cards that say so."""

    @functools.wraps(take_charge)
    def take(book: Book, body: dict[str, Any], key: str) -> Answer:
        token = body.get("token")
        is_known = cards.outcome_of(token) is not None
        trouble = _troubles.asked(str(token)) if is_known else None
        if trouble == "down":
            message = "The processor is down. Try again later."
            return {"error": {"code": "unavailable", "message": message}}, 503
        answer = take_charge(book, body, key)
        if trouble == "late":
            time.sleep(LATE_ANSWER_SECONDS)
        return answer

    return take


def of_bank(ask_bank: AskBank) -> AskBank:
    """Have the bank take longer for the test card that says so."""

    @functools.wraps(ask_bank)
    def ask(charge: Charge) -> str | None:
        if cards.outcome_of(charge.token) == "slow_bank":
            time.sleep(SLOW_BANK_SECONDS)
        return ask_bank(charge)

    return ask
