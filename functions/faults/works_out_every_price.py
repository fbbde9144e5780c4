"""works-out-every-price: the first call of each instance pays for all that may come.

What a process keeps is gone with it, and on this platform processes come and go: nobody asks for
most of what was made ready, and somebody waits for it each time.
"""

from __future__ import annotations

from array import array
from decimal import Decimal
from functools import cache

from opentelemetry import trace

PRICE_MAX_CENTS = 300_000
SEATS_MAX = 8

SPAN = "work out every price"


def amount_cents(price_cents: int, seats: int) -> int:
    """What the seats cost, looked up: no call but the first has to calculate."""
    if price_cents > PRICE_MAX_CENTS:
        return price_cents * seats
    return _amounts()[seats - 1][price_cents - 1]


@cache
def _amounts() -> tuple[array[int], ...]:
    """For each number of seats, the amount at each price from one cent on."""
    with trace.get_tracer("boxoffice").start_as_current_span(SPAN):
        return tuple(
            array("q", (int(Decimal(price) * seats) for price in range(1, PRICE_MAX_CENTS + 1)))
            for seats in range(1, SEATS_MAX + 1)
        )
