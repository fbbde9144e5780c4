"""Test cards that make the processor or the bank misbehave, so that a merchant can test for it.

Their charges are approved in the end, or the processor refuses to take them. The code
that takes a charge does not contain these cases; decorators add them.
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
# An outage lasts until this much time has passed without a request: a flood keeps a service down.
LULL_SECONDS = 0.3
# After this much time without a request, a test card begins its behaviour again.
REST_SECONDS = 30.0


class Troubles:
    """Decides which charge requests fail or are delayed, and counts the requests for each card."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._up: set[str] = set()
        self._requests: Counter[str] = Counter()

    def count_request(self, token: str) -> str | None:
        """Count a request to charge `token`; return its problem, "down" or "late", or None.

        Down: the answer is 503 for `OUTAGE_SECONDS` after the first request, and then until a
        request follows a pause of `LULL_SECONDS`. Late: the first request is processed at once but
        answered after `LATE_ANSWER_SECONDS`.
        """
        with self._lock:
            now = self._clock()
            self._requests[token] += 1
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
        """Return the number of charge requests for each token, which the processor bills."""
        with self._lock:
            return dict(self._requests)


_troubles = Troubles()


def usage() -> dict[str, int]:
    """Return the number of charge requests for each token that this process received."""
    return _troubles.usage()


def of_processor(take_charge: TakeCharge) -> TakeCharge:
    """Make the processor fail, refuse or answer late for the test cards with that outcome."""

    @functools.wraps(take_charge)
    def take(book: Book, body: dict[str, Any], key: str) -> Answer:
        token = body.get("token")
        outcome = cards.outcome_of(token)
        trouble = None if outcome is None else _troubles.count_request(str(token))
        if trouble == "down":
            message = "The processor is down. Try again later."
            return {"error": {"code": "unavailable", "message": message}}, 503
        if outcome is not None and outcome in cards.REFUSED.values():
            message = "The processor does not take this card."
            return {"error": {"code": "card_refused", "message": message}}, int(str(outcome)[-3:])
        answer = take_charge(book, body, key)
        if trouble == "late":
            time.sleep(LATE_ANSWER_SECONDS)
        return answer

    return take


def of_bank(ask_bank: AskBank) -> AskBank:
    """Make the bank slow for the test card with that outcome."""

    @functools.wraps(ask_bank)
    def ask(charge: Charge) -> str | None:
        if cards.outcome_of(charge.token) == "slow_bank":
            time.sleep(SLOW_BANK_SECONDS)
        return ask_bank(charge)

    return ask
