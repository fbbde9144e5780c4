"""An order's states and the legal moves between them. Pure: it knows nothing of Firebase."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TypeGuard


class State(StrEnum):
    """Where an order is in its life."""

    PLACED = "placed"
    RESERVED = "reserved"
    REJECTED = "rejected"
    CHARGING = "charging"
    PAID = "paid"
    DECLINED = "declined"
    TICKETED = "ticketed"
    EXPIRED = "expired"
    REFUNDED = "refunded"


MOVES: Mapping[State, frozenset[State]] = {
    State.PLACED: frozenset({State.RESERVED, State.REJECTED}),
    State.RESERVED: frozenset({State.CHARGING, State.EXPIRED}),
    State.CHARGING: frozenset({State.PAID, State.DECLINED, State.EXPIRED}),
    State.PAID: frozenset({State.TICKETED}),
    State.TICKETED: frozenset({State.REFUNDED}),
    State.REJECTED: frozenset(),
    State.DECLINED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REFUNDED: frozenset(),
}

FINAL = frozenset(state for state, onward in MOVES.items() if not onward) | {State.TICKETED}

# Where some stage has yet to do something.
UNDERWAY = frozenset(State) - FINAL


class Verdict(Enum):
    """What a stage should do about a move it was asked to make."""

    MAKE = "make"  # it is legal now
    DONE = "done"  # it was made before: a delivery came twice, or late
    NEVER = "never"  # the order went another way


def judge(now: State, to: State) -> Verdict:
    """Say whether an order in state `now` may move `to`, already did, or can't any more."""
    if to in MOVES[now]:
        return Verdict.MAKE
    return Verdict.DONE if now in _reachable(to) else Verdict.NEVER


#: The form of an order's id; Firestore's generated ids are 20 letters and digits. Firestore itself
#: forbids "." and "..", slashes, and two underscores at both ends.
ID_PATTERN = r"(?!__.*__$)[A-Za-z0-9_-]{1,64}"


def is_order_id(value: object) -> TypeGuard[str]:
    """Return whether `value` can be an order's id, in every stage."""
    return isinstance(value, str) and re.fullmatch(ID_PATTERN, value) is not None


def _reachable(state: State) -> set[State]:
    """`state` and every state that comes after it."""
    found = {state}
    for onward in MOVES[state]:
        found |= _reachable(onward)
    return found
