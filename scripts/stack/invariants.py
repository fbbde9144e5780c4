"""The three invariants of the Box Office, which hold under every fault of the platform. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stack.clients.box_office import FINAL

Invariant = Literal["no oversell", "no double charge", "no lost order"]


@dataclass(frozen=True)
class OrderOutcome:
    """The final state of one order.

    Attributes:
        tickets: number of tickets issued for it.
        taken: number of charges that succeeded.
        kept: number of those charges that were not refunded.
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
        """Return how many tickets the order must have: all if it is paid for and not refunded."""
        return self.seats if self.state in ("paid", "ticketed") or self.kept else 0

    @property
    def is_lost(self) -> bool:
        """Return whether the order is not in a final state, or lacks tickets that were paid for."""
        return self.state not in FINAL or self.tickets < self.tickets_due

    @property
    def is_charged_twice(self) -> bool:
        """Return whether the card was charged more than once, even if the money was refunded."""
        return self.taken > 1


def oversold(
    orders: Sequence[OrderOutcome], stock: Mapping[str, int], for_sale: Mapping[str, int]
) -> int:
    """Return how many seats are sold or still for sale beyond the stock of their show.

    Args:
        orders: an order counts with its tickets or, if it is paid, with its seats if that is more.
        stock: the total number of seats, by show id.
        for_sale: the number of seats still for sale, by show id; shows may be missing.
    """
    seats = Counter(for_sale)
    for order in orders:
        is_sold = order.state in ("paid", "ticketed")
        seats[order.show_id] += max(order.tickets, order.seats * is_sold)
    return sum(max(0, seats[show_id] - of_show) for show_id, of_show in stock.items())


def broken(
    orders: Sequence[OrderOutcome], stock: Mapping[str, int], for_sale: Mapping[str, int]
) -> frozenset[Invariant]:
    """Return the invariants that do not hold."""
    holds: dict[Invariant, bool] = {
        "no oversell": not oversold(orders, stock, for_sale),
        "no double charge": not any(order.is_charged_twice for order in orders),
        "no lost order": not any(order.is_lost for order in orders),
    }
    return frozenset(name for name, is_so in holds.items() if not is_so)
