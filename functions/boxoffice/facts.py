"""Facts for spans: what was requested, what was decided, and by which numbers.

A stage puts the facts of one subject on its span in one call. A value that has another form than
its field is left out, because a document may hold anything, and nothing personal may reach a span.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from opentelemetry.util.types import AttributeValue

from boxoffice.order import State

Facts = Mapping[str, AttributeValue]

#: The attribute that no consumer's span lacks.
OUTCOME = "boxoffice.outcome"
#: Why there was nothing to do: an order.MoveStatus, or another word.
SKIPPED = "boxoffice.skipped"

# What the text fields of documents, charges and events may look like on a span.
_WORD = re.compile(r"[a-z_]{1,64}")
_FORMS = {
    "currency": re.compile(r"[A-Z]{3}"),
    "reason": _WORD,
    "decline_code": _WORD,
    "status": _WORD,
    "state": _WORD,
    "by": _WORD,
    # With a letter: one without could be a card's number.
    "id": re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.-]{1,64}"),
}
# A larger number could be a card's or a telephone's.
_NUMBER_MAX = 10**9
_SEATS_MAX = 10**6


class Ending(StrEnum):
    """How a stage ended. throughline adds "failed" for one that raised, and will run again."""

    MOVED = "moved"  # an order, to its state
    WRITTEN = "written"  # a document that no order depends on
    RESUMED = "resumed"  # orders that were stuck
    REFUSED = "refused"  # what was requested, for the reason and by the numbers on the span
    SKIPPED = "skipped"  # nothing to do; `boxoffice.skipped` says why
    GAVE_UP = "gave_up"  # for good; `boxoffice.permanent_failure` says why


def of_move(to: State) -> str:
    """Return the outcome of a stage that moved an order."""
    match to:
        case State.REJECTED:
            return Ending.REFUSED
        case State.FAILED:
            return Ending.GAVE_UP
        case _:
            return Ending.MOVED


def skipped(reason: str) -> Facts:
    """Return that a stage changed nothing, and why."""
    return {OUTCOME: Ending.SKIPPED, SKIPPED: reason}


def of_order(order: Mapping[str, Any], state: State) -> Facts:
    """Return what an order is for, what it costs, its state, and why it ended in it."""
    return {
        "boxoffice.order.state": state,
        **_numbers("boxoffice.order", order, "seats", "price_cents", "amount_cents"),
        **_texts("boxoffice.order", order, "currency", "reason"),
        **_texts("boxoffice.show", {"id": order.get("show_id")}, "id"),
    }


def of_charge(order: Mapping[str, Any], charge: Mapping[str, Any]) -> Facts:
    """Return what a card is charged beside what the order costs, and in what they differ."""
    costs = {name: order[name] for name in ("amount_cents", "currency") if name in order}
    differing = [name for name, cost in costs.items() if charge.get(name, cost) != cost]
    return {
        **_numbers("boxoffice.order", costs, "amount_cents"),
        **_texts("boxoffice.order", costs, "currency"),
        **_numbers("boxoffice.charge", charge, "amount_cents"),
        **_texts("boxoffice.charge", charge, "id", "status", "currency", "decline_code"),
        **({"boxoffice.charge.differs_in": ", ".join(differing)} if differing else {}),
    }


def of_stock(before: int, after: int) -> Facts:
    """Return how many seats of a show were for sale before and after its stock changed."""
    return {"boxoffice.stock.before": before, "boxoffice.stock.after": after}


def of_hold(order: Mapping[str, Any], ended_at: datetime) -> Facts:
    """Return for how long an order's seats were held, if the order says since when."""
    moved_at = order.get("moved_at")
    reserved_at = moved_at.get(State.RESERVED) if isinstance(moved_at, Mapping) else None
    if not isinstance(reserved_at, datetime):
        return {}
    return {"boxoffice.hold.lasted_seconds": (ended_at - reserved_at).total_seconds()}


def of_refusal(requested: int, left: int) -> Facts:
    """Return how much was requested, and how much was left to be had."""
    return {"boxoffice.refused.asked": requested, "boxoffice.refused.left": left}


def of_quote(answer: Mapping[str, Any], read_at: datetime | None = None) -> Facts:
    """Return what a buyer was told, and the age in seconds of the document that it is from."""
    age = {}
    if read_at:
        age["age_seconds"] = round((datetime.now(UTC) - read_at).total_seconds(), 3)
    numbers = ("seats", "price_cents", "amount_cents", "seats_left", "available", "age_seconds")
    return {
        **_numbers("boxoffice.quote", {**answer, **age}, *numbers),
        **_texts("boxoffice.quote", answer, "currency"),
    }


def of_audit(entry: Mapping[str, str]) -> Facts:
    """Return which order's state was stored, and which stage had moved the order to it."""
    return {
        OUTCOME: Ending.WRITTEN,
        **_texts("boxoffice.order", {"id": entry["order_id"], **entry}, "id", "state"),
        **_texts("boxoffice.moved", entry, "by"),
    }


def of_sweep(resumed: int, failed: int) -> Facts:
    """Return how many stuck orders a sweep resumed, and how many it could not resume."""
    ending = {OUTCOME: Ending.RESUMED.value} if resumed or failed else skipped("nothing_stuck")
    return {**ending, "boxoffice.sweep.orders": resumed, "boxoffice.sweep.failed": failed}


def _numbers(prefix: str, source: Mapping[str, Any], *names: str) -> Facts:
    """Return those of the fields that are numbers of a usual size, or booleans."""
    return {
        f"{prefix}.{name}": number
        for name in names
        if isinstance(number := source.get(name), (int, float))
        and abs(number) < (_SEATS_MAX if name == "seats" else _NUMBER_MAX)
    }


def _texts(prefix: str, source: Mapping[str, Any], *names: str) -> Facts:
    """Return those of the fields that have their form."""
    return {
        f"{prefix}.{name}": text
        for name in names
        if isinstance(text := source.get(name), str) and _FORMS[name].fullmatch(text)
    }
