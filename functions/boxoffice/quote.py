"""Quote: what seats of a show cost, and whether they are available."""

from __future__ import annotations

from typing import Any

from firebase_functions import https_fn
from firebase_functions.https_fn import FunctionsErrorCode, HttpsError
from opentelemetry import trace

import function_options
import throughline
from boxoffice import facts, ledger, shows

SEATS_MAX = 8


@https_fn.on_call(**function_options.QUOTE)
@throughline.on_call
def quote(call: https_fn.CallableRequest[Any]) -> dict[str, Any]:
    """Answer {show_id, seats} with the price of these seats, and whether they are available.

    The answer is {show_id, seats, price_cents, amount_cents, currency, seats_left, available}. A
    quote holds no seats; reserve checks the stock again.
    """
    data = call.data if isinstance(call.data, dict) else {}
    seats = data.get("seats")
    trace.get_current_span().set_attributes(facts.of_quote({"seats": seats}))
    if not isinstance(seats, int) or isinstance(seats, bool) or not 1 <= seats <= SEATS_MAX:
        raise HttpsError(
            FunctionsErrorCode.INVALID_ARGUMENT,
            f"seats must be a whole number from 1 to {SEATS_MAX}.",
        )
    try:
        show = shows.read(data.get("show_id"))
    except shows.InvalidShowId as error:
        raise HttpsError(FunctionsErrorCode.INVALID_ARGUMENT, str(error)) from error
    except shows.UnknownShow as error:
        raise HttpsError(FunctionsErrorCode.NOT_FOUND, str(error)) from error
    left = seats_left(show)
    answer = {
        "show_id": show["id"],
        "seats": seats,
        "price_cents": show["price_cents"],
        "amount_cents": amount_cents(show["price_cents"], seats),
        "currency": show["currency"],
        "seats_left": left,
        "available": left >= seats,
    }
    trace.get_current_span().set_attributes(facts.of_quote(answer, show["read_at"]))
    return answer


def amount_cents(price_cents: int, seats: int) -> int:
    """Return the price of `seats` seats in cents."""
    return price_cents * seats


def seats_left(show: ledger.Document) -> int:
    """Return how many seats are left, as every sale and refund keeps it in the show's document."""
    seats: int = show["seats_left"]
    return seats
