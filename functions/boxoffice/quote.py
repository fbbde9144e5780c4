"""Quote: what some seats of a show would cost, and whether they are left."""

from __future__ import annotations

from typing import Any

from firebase_functions import https_fn
from firebase_functions.https_fn import FunctionsErrorCode, HttpsError

import throughline
from boxoffice import ledger, shows

SEATS_MAX = 8


@https_fn.on_call()
@throughline.on_call
def quote(call: https_fn.CallableRequest[Any]) -> dict[str, Any]:
    """Answer {show_id, seats} with those and {price_cents, amount_cents, currency, seats_left,
    available}. A quote holds nothing: reserve looks again."""
    data = call.data if isinstance(call.data, dict) else {}
    seats = data.get("seats")
    if not isinstance(seats, int) or isinstance(seats, bool) or not 1 <= seats <= SEATS_MAX:
        raise HttpsError(
            FunctionsErrorCode.INVALID_ARGUMENT,
            f"seats must be a whole number from 1 to {SEATS_MAX}.",
        )
    try:
        show = shows.read(data.get("show_id"))
    except shows.NoShowId as why:
        raise HttpsError(FunctionsErrorCode.INVALID_ARGUMENT, str(why)) from why
    except shows.UnknownShow as why:
        raise HttpsError(FunctionsErrorCode.NOT_FOUND, str(why)) from why
    left = seats_left(show)
    return {
        "show_id": show["id"],
        "seats": seats,
        "price_cents": show["price_cents"],
        "amount_cents": amount_cents(show["price_cents"], seats),
        "currency": show["currency"],
        "seats_left": left,
        "available": left >= seats,
    }


def amount_cents(price_cents: int, seats: int) -> int:
    """Return what so many seats cost."""
    return price_cents * seats


def seats_left(show: ledger.Document) -> int:
    """Return how many seats are left: the stages that change the number keep it with the show."""
    seats: int = show["seats_left"]
    return seats
