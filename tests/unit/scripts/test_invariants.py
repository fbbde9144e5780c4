"""What is always true of the Box Office, told from what became of its orders."""

from __future__ import annotations

from dataclasses import replace

from stack.invariants import OrderOutcome, broken, oversold

SOLD = OrderOutcome("order", "show", seats=2, state="ticketed", tickets=2, taken=1, kept=1)


def of_five(*orders: OrderOutcome, left: int = 3) -> frozenset[str]:
    """What is broken by these orders of a show with five seats."""
    return broken(orders, {"show": 5}, {"show": left})


def test_all_invariants_hold_where_all_is_well() -> None:
    """The seats sold and those for sale add up to the stock."""
    assert of_five(SOLD) == frozenset()
    assert of_five(replace(SOLD, state="declined", tickets=0, taken=0, kept=0), left=5) == set()


def test_a_seat_that_is_sold_and_for_sale_again_is_oversold() -> None:
    """Nobody has to buy it first."""
    assert of_five(SOLD, left=5) == {"no oversell"}
    assert of_five(replace(SOLD, state="expired"), left=5) == {"no oversell"}


def test_seats_that_are_held_are_neither_sold_nor_for_sale() -> None:
    """A show may have less to offer than is left of it."""
    assert of_five(SOLD, left=1) == frozenset()


def test_what_a_show_has_for_sale_may_be_unknown() -> None:
    """Then only what is sold counts."""
    assert oversold([SOLD, SOLD, SOLD], {"show": 5}, {}) == 1


def test_two_charges_break_an_invariant_though_one_went_back() -> None:
    """The buyer saw both on the statement."""
    assert of_five(replace(SOLD, taken=2)) == {"no double charge"}


def test_who_paid_has_tickets_or_the_money_back() -> None:
    """An order that ended without either is lost, and so is one that did not end."""
    assert of_five(replace(SOLD, tickets=1)) == {"no lost order"}
    assert of_five(replace(SOLD, state="expired", tickets=0), left=5) == {"no lost order"}
    assert of_five(replace(SOLD, state="expired", tickets=0, kept=0), left=5) == frozenset()
    assert of_five(replace(SOLD, state="charging", tickets=0, kept=0)) == {"no lost order"}
