"""An order's states and the legal moves between them."""

from __future__ import annotations

import pytest

from boxoffice.order import FINAL, MOVES, State, Verdict, judge

LEGAL = {
    ("placed", "reserved"),
    ("placed", "rejected"),
    ("reserved", "charging"),
    ("reserved", "expired"),
    ("charging", "paid"),
    ("charging", "declined"),
    ("charging", "expired"),
    ("paid", "ticketed"),
    ("ticketed", "refunded"),
}

# Every order's way through its life, whichever way it goes.
LIVES = [
    ["placed", "rejected"],
    ["placed", "reserved", "expired"],
    ["placed", "reserved", "charging", "expired"],
    ["placed", "reserved", "charging", "declined"],
    ["placed", "reserved", "charging", "paid", "ticketed"],
    ["placed", "reserved", "charging", "paid", "ticketed", "refunded"],
]


def test_the_legal_moves_are_these_and_no_others() -> None:
    """The table is the design's; a move that is added has to be added here knowingly."""
    assert {(now.value, to.value) for now, onward in MOVES.items() for to in onward} == LEGAL


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    """No state is forgotten, and none is dead."""
    assert set(MOVES) == set(State)
    reached = {State.PLACED}
    while more := {to for now in reached for to in MOVES[now]} - reached:
        reached |= more
    assert reached == set(State)


def test_no_order_can_go_in_circles() -> None:
    """From no state does a way lead back to it."""
    for state in State:
        later = set(MOVES[state])
        while more := {to for now in later for to in MOVES[now]} - later:
            later |= more
        assert state not in later


def test_final_states_are_those_where_the_buyer_waits_for_nothing() -> None:
    """A ticketed order is at its end although it may yet be refunded."""
    assert {"rejected", "declined", "expired", "ticketed", "refunded"} == FINAL


@pytest.mark.parametrize(("now", "to"), sorted(LEGAL))
def test_a_legal_move_is_to_be_made(now: str, to: str) -> None:
    """The stage whose turn it is goes on."""
    assert judge(State(now), State(to)) is Verdict.MAKE


@pytest.mark.parametrize("life", LIVES, ids=" ".join)
def test_a_move_that_the_order_made_before_is_done(life: list[str]) -> None:
    """A delivery that comes twice, or late, finds the order where it was going or beyond."""
    for at, now in enumerate(life):
        for past in life[: at + 1]:
            assert judge(State(now), State(past)) is Verdict.DONE


@pytest.mark.parametrize(
    ("now", "to"),
    [
        ("rejected", "reserved"),
        ("declined", "paid"),
        ("paid", "declined"),
        ("ticketed", "declined"),
        ("expired", "paid"),
        ("expired", "ticketed"),
        ("paid", "expired"),
        ("refunded", "expired"),
        ("placed", "paid"),
        ("placed", "charging"),
        ("reserved", "paid"),
        ("paid", "refunded"),
    ],
)
def test_a_move_that_is_not_on_the_orders_way_is_never_made(now: str, to: str) -> None:
    """Whoever asks for it, the order has gone another way, or isn't nearly there."""
    assert judge(State(now), State(to)) is Verdict.NEVER


def test_nothing_but_a_legal_move_is_ever_made() -> None:
    """Over every pair of states."""
    made = {(a.value, b.value) for a in State for b in State if judge(a, b) is Verdict.MAKE}
    assert made == LEGAL
