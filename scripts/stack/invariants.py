"""What is always true of the Box Office, whatever the platform does: three invariants. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stack.clients.box_office import FINAL

Invariant = Literal["no oversell", "no double charge", "no lost order"]


@dataclass(frozen=True)
class Sold:
    """What became of one order.

    `tickets` are those that are out for it. `taken` counts the charges that succeeded, `kept` those
    of them whose money did not go back.
    """

    id: str
    show_id: str
    seats: int
    state: str
    tickets: int
    taken: int
    kept: int

    @property
    def tickets_due(self) -> int:
        """How many tickets it must have: who paid has a ticket, or the money back."""
        return self.seats if self.state in ("paid", "ticketed") or self.kept else 0

    @property
    def is_lost(self) -> bool:
        """Whether it came to no end, or to one without what was paid for."""
        return self.state not in FINAL or self.tickets < self.tickets_due

    @property
    def is_charged_twice(self) -> bool:
        """Whether its card was charged more than once, even if money went back."""
        return self.taken > 1


def oversold(orders: Sequence[Sold], stock: Mapping[str, int], for_sale: Mapping[str, int]) -> int:
    """Seats beyond each show's stock: those that are sold and those that are still for sale.

    A seat is sold by its ticket or by an order that says so, whichever says more. `stock` and
    `for_sale` are by show; what a show has for sale may be left out.
    """
    seats = Counter(for_sale)
    for order in orders:
        is_sold = order.state in ("paid", "ticketed")
        seats[order.show_id] += max(order.tickets, order.seats * is_sold)
    return sum(max(0, seats[show_id] - of_show) for show_id, of_show in stock.items())


def broken(
    orders: Sequence[Sold], stock: Mapping[str, int], for_sale: Mapping[str, int]
) -> frozenset[Invariant]:
    """The invariants that do not hold."""
    holds: dict[Invariant, bool] = {
        "no oversell": not oversold(orders, stock, for_sale),
        "no double charge": not any(order.is_charged_twice for order in orders),
        "no lost order": not any(order.is_lost for order in orders),
    }
    return frozenset(name for name, is_so in holds.items() if not is_so)
