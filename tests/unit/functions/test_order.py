"""An order's states and the legal moves between them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from boxoffice.order import FINAL, MOVES, MoveStatus, State, check_move, invalid_field, is_order_id

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
    ("placed", "failed"),
    ("reserved", "failed"),
    ("charging", "failed"),
    ("paid", "failed"),
}

# Every path from placed to a state without a legal move.
PATHS = [
    ["placed", "rejected"],
    ["placed", "failed"],
    ["placed", "reserved", "failed"],
    ["placed", "reserved", "charging", "failed"],
    ["placed", "reserved", "charging", "paid", "failed"],
    ["placed", "reserved", "expired"],
    ["placed", "reserved", "charging", "expired"],
    ["placed", "reserved", "charging", "declined"],
    ["placed", "reserved", "charging", "paid", "ticketed"],
    ["placed", "reserved", "charging", "paid", "ticketed", "refunded"],
]


def test_the_legal_moves_are_these_and_no_others() -> None:
    """The table repeats the design, so that a move is never added by accident."""
    assert {(now.value, to.value) for now, targets in MOVES.items() for to in targets} == LEGAL


def test_every_state_is_in_the_table_and_reachable() -> None:
    assert set(MOVES) == set(State)
    reached = {State.PLACED}
    while more := {to for now in reached for to in MOVES[now]} - reached:
        reached |= more
    assert reached == set(State)


def test_no_state_can_be_reached_from_itself() -> None:
    for state in State:
        later = set(MOVES[state])
        while more := {to for now in later for to in MOVES[now]} - later:
            later |= more
        assert state not in later


def test_a_final_state_is_one_that_no_stage_moves_on_from() -> None:
    """Ticketed is final too, although an organiser can refund the order."""
    assert {"rejected", "declined", "expired", "ticketed", "refunded", "failed"} == FINAL


@pytest.mark.parametrize(("now", "to"), sorted(LEGAL))
def test_a_move_of_the_table_is_legal(now: str, to: str) -> None:
    assert check_move(State(now), State(to)) is MoveStatus.LEGAL


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_a_move_to_a_state_that_the_order_has_passed_is_already_made(path: list[str]) -> None:
    """A duplicate or late delivery finds the order in the move's target state or beyond."""
    for at, now in enumerate(path):
        for past in path[: at + 1]:
            assert check_move(State(now), State(past)) is MoveStatus.ALREADY_MADE


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
        ("failed", "expired"),
        ("failed", "ticketed"),
        ("ticketed", "failed"),
        ("declined", "failed"),
    ],
)
def test_a_move_off_the_orders_path_is_illegal(now: str, to: str) -> None:
    """The order has taken another path, or has not reached the state before."""
    assert check_move(State(now), State(to)) is MoveStatus.ILLEGAL


def test_of_all_pairs_of_states_only_the_tables_moves_are_legal() -> None:
    legal = {
        (a.value, b.value) for a in State for b in State if check_move(a, b) is MoveStatus.LEGAL
    }
    assert legal == LEGAL


@pytest.mark.parametrize("value", ["a", "hVbL0yTrfaZJdUbFxyS3", "order-1", "x" * 64])
def test_an_order_id_has_1_to_64_letters_digits_and_hyphens(value: str) -> None:
    assert is_order_id(value)


@pytest.mark.parametrize(
    "value", ["", "x" * 65, "orders/a", "a_b", "a b", "a\n", "é", "..", "__x__", None, 7, ["a"]]
)
def test_other_values_are_not_order_ids(value: object) -> None:
    assert not is_order_id(value)


PLACED = {
    "state": "placed",
    "show_id": "night-ferry",
    "seats": 2,
    "uid": "buyer",
    "card_token": "tok_1",
    "placed_at": datetime.now(UTC),
}
RESERVED = {
    **PLACED,
    "state": "reserved",
    "amount_cents": 5000,
    "currency": "EUR",
    "hold_until": datetime.now(UTC),
}


def test_an_order_needs_a_price_and_a_hold_only_once_it_is_reserved() -> None:
    assert invalid_field(PLACED) is None
    assert invalid_field(RESERVED) is None
    assert invalid_field({**PLACED, "state": "reserved"}) == "amount_cents"


@pytest.mark.parametrize("name", [name for name in RESERVED if name != "state"])
@pytest.mark.parametrize("value", [None, "", "a/b", 0, -1, True, 1.5, [], {}], ids=repr)
def test_a_missing_or_malformed_field_of_an_order_is_named(name: str, value: object) -> None:
    """No value here is usable for any field."""
    assert invalid_field({**RESERVED, name: value}) == name
    assert invalid_field({key: RESERVED[key] for key in RESERVED if key != name}) == name
