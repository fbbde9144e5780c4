"""Quote: what some seats of a show would cost, and whether they are left."""

from __future__ import annotations

from typing import Any

from firebase_functions import https_fn
from firebase_functions.https_fn import FunctionsErrorCode, HttpsError

import faults
import throughline
from boxoffice import clients, shows

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
    amount_cents, seats_left = show["price_cents"] * seats, show["seats_left"]
    if faults.on("works-out-every-price"):
        amount_cents = faults.works_out_every_price.amount_cents(show["price_cents"], seats)
    if faults.on("reads-one-by-one"):
        count = faults.reads_one_by_one.seats_left
        seats_left = count(clients.firestore(), data["show_id"], show["seats_total"])
    if faults.on("instances-come-and-go"):
        faults.instances_come_and_go.count_answer()
    return {
        "show_id": data["show_id"],
        "seats": seats,
        "price_cents": show["price_cents"],
        "amount_cents": amount_cents,
        "currency": show["currency"],
        "seats_left": seats_left,
        "available": seats_left >= seats,
    }
