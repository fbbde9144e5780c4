"""Tests of the three invariants of the Box Office."""

from __future__ import annotations

from dataclasses import replace

from stack.invariants import OrderOutcome, broken, oversold

SOLD = OrderOutcome("order", "show", seats=2, state="ticketed", tickets=2, taken=1, kept=1)


def broken_of_five_seats(*orders: OrderOutcome, left: int = 3) -> frozenset[str]:
    """Return the invariants that these orders of a show with five seats break."""
    return broken(orders, {"show": 5}, {"show": left})


def test_all_invariants_hold_for_valid_orders() -> None:
    """The seats sold and those for sale add up to the stock."""
    assert broken_of_five_seats(SOLD) == frozenset()
    assert (
        broken_of_five_seats(replace(SOLD, state="declined", tickets=0, taken=0, kept=0), left=5)
        == set()
    )


def test_a_seat_that_is_sold_and_for_sale_again_is_oversold() -> None:
    """It need not be bought a second time."""
    assert broken_of_five_seats(SOLD, left=5) == {"no oversell"}
    assert broken_of_five_seats(replace(SOLD, state="expired"), left=5) == {"no oversell"}


def test_seats_that_are_held_are_neither_sold_nor_for_sale() -> None:
    """Fewer seats may therefore be for sale than are left."""
    assert broken_of_five_seats(SOLD, left=1) == frozenset()


def test_without_the_seats_for_sale_only_sold_seats_count() -> None:
    assert oversold([SOLD, SOLD, SOLD], {"show": 5}, {}) == 1


def test_two_charges_break_an_invariant_even_if_one_was_refunded() -> None:
    assert broken_of_five_seats(replace(SOLD, taken=2)) == {"no double charge"}


def test_a_paid_order_without_tickets_or_refund_is_lost() -> None:
    """An order that is not in a final state is lost too."""
    assert broken_of_five_seats(replace(SOLD, tickets=1)) == {"no lost order"}
    assert broken_of_five_seats(replace(SOLD, state="expired", tickets=0), left=5) == {
        "no lost order"
    }
    assert (
        broken_of_five_seats(replace(SOLD, state="expired", tickets=0, kept=0), left=5)
        == frozenset()
    )
    assert broken_of_five_seats(replace(SOLD, state="failed", tickets=0), left=5) == {
        "no lost order"
    }
    assert broken_of_five_seats(replace(SOLD, state="failed", tickets=0, kept=0), left=5) == set()
    assert broken_of_five_seats(replace(SOLD, state="charging", tickets=0, kept=0)) == {
        "no lost order"
    }
