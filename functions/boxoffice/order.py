"""An order's states and the legal moves between them, without any knowledge of Firebase."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, TypeGuard


class State(StrEnum):
    """The state of an order."""

    PLACED = "placed"
    RESERVED = "reserved"
    REJECTED = "rejected"
    CHARGING = "charging"
    PAID = "paid"
    DECLINED = "declined"
    TICKETED = "ticketed"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    FAILED = "failed"


MOVES: Mapping[State, frozenset[State]] = {
    State.PLACED: frozenset({State.RESERVED, State.REJECTED, State.FAILED}),
    State.RESERVED: frozenset({State.CHARGING, State.EXPIRED, State.FAILED}),
    State.CHARGING: frozenset({State.PAID, State.DECLINED, State.EXPIRED, State.FAILED}),
    State.PAID: frozenset({State.TICKETED, State.FAILED}),
    State.TICKETED: frozenset({State.REFUNDED}),
    State.REJECTED: frozenset(),
    State.DECLINED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REFUNDED: frozenset(),
    State.FAILED: frozenset(),
}

# A ticketed order is final for the buyer, although an organiser may refund it later.
FINAL = frozenset(state for state, targets in MOVES.items() if not targets) | {State.TICKETED}

# States in which an order waits for a stage.
IN_PROGRESS = frozenset(State) - FINAL


# States in which an order is accepted and not paid for; its seats are held if they can be.
UNPAID = frozenset({State.RESERVED, State.CHARGING})


class Rejection(StrEnum):
    """Why reserve rejects an order: its field `reason`."""

    UNKNOWN_SHOW = "unknown_show"
    SHOW_BEGUN = "show_begun"
    SALE_OVER = "sale_over"
    SOLD_OUT = "sold_out"
    TOO_MANY_ORDERS = "too_many_orders"
    TOO_MANY_SEATS = "too_many_seats"


class MoveStatus(Enum):
    """Whether an order can move to a state; `boxoffice.skipped` on spans has the value."""

    LEGAL = "legal"
    ALREADY_MADE = "done"  # the event was delivered twice, or late
    ILLEGAL = "never"  # the order took another path, or is not there yet


def check_move(current: State, target: State) -> MoveStatus:
    """Return whether an order in state `current` can move to `target`, or has already done so."""
    if target in MOVES[current]:
        return MoveStatus.LEGAL
    return MoveStatus.ALREADY_MADE if current in _reachable(target) else MoveStatus.ILLEGAL


#: The form of an order's id, as in the security rules. Firestore's generated ids are 20 letters and
#: digits. Firestore itself forbids slashes, "." and "..", and "__" at both ends.
ID_PATTERN = r"[A-Za-z0-9-]{1,64}"


def is_order_id(value: object) -> TypeGuard[str]:
    """Return whether `value` can be an order's id: 1 to 64 letters, digits and hyphens."""
    return isinstance(value, str) and re.fullmatch(ID_PATTERN, value) is not None


# The fields that the page writes, and those that reserve adds.
_PLACED_FIELDS = {
    "show_id": str,
    "seats": int,
    "uid": str,
    "card_token": str,
    "placed_at": datetime,
}
_RESERVED_FIELDS = {"amount_cents": int, "currency": str, "hold_until": datetime}


def invalid_field(order: Mapping[str, Any]) -> str | None:
    """Return the first field that the order's state requires and that is missing or malformed.

    The rules check what a page writes, but anything with an administrator's rights may change an
    order.
    """
    is_placed = order.get("state") == State.PLACED
    fields = _PLACED_FIELDS if is_placed else {**_PLACED_FIELDS, **_RESERVED_FIELDS}
    return next((name for name, kind in fields.items() if not _has_form(order, name, kind)), None)


def _has_form(order: Mapping[str, Any], name: str, kind: type) -> bool:
    value = order.get(name)
    if kind is int:
        return type(value) is int and value > 0
    if kind is str:
        # A document's id has no slash, and an empty one is not a path.
        return isinstance(value, str) and value != "" and "/" not in value
    return isinstance(value, kind)


def _reachable(state: State) -> set[State]:
    """Return `state` and every state that can follow it."""
    states = {state}
    for target in MOVES[state]:
        states |= _reachable(target)
    return states
