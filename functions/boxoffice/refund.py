"""Refund: gives a buyer the money back and the show its seats, when an organiser says so."""

from __future__ import annotations

from typing import Any

from firebase_functions import https_fn
from firebase_functions.https_fn import FunctionsErrorCode, HttpsError
from google.cloud import firestore

import throughline
from boxoffice import acquirer, enduser, ledger, order_events, tally
from boxoffice.order import State, Verdict, is_order_id, judge

ORGANISER = "organiser"


@https_fn.on_call()
@throughline.on_call
def refund(call: https_fn.CallableRequest[Any]) -> dict[str, Any]:
    """Answer {order_id} with {order_id, state: "refunded"}; only an organiser may ask.

    The processor is asked first, and the order moved second: a refund that stops between the two is
    finished by asking again, because the processor gives the money back once under one key.
    """
    must_be_organiser(call)
    order_id = order_id_in(call.data)
    order = ledger.read(order_id)
    if order is None:
        raise HttpsError(FunctionsErrorCode.NOT_FOUND, f"There is no order {order_id}.")
    throughline.correct_baggage({"order.id": order_id, "show.id": order.get("show_id")})
    throughline.link_to_document(order)
    match judge(State(order["state"]), State.REFUNDED), order.get("charge_id"):
        case Verdict.MAKE, str(charge_id):
            give_money_back(order_id, charge_id)
        case Verdict.DONE, _:
            pass
        case _:
            raise HttpsError(
                FunctionsErrorCode.FAILED_PRECONDITION,
                f"Order {order_id} is {order['state']}: only a ticketed order can be refunded.",
            )

    def void(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        return ledger.Move(State.REFUNDED, writes=lambda tx: void_tickets(tx, order_id, order))

    outcome = ledger.advance(order_id, State.REFUNDED, void)
    order_events.record(order_id, outcome, by=ORGANISER)
    return {"order_id": order_id, "state": outcome.state}


def must_be_organiser(call: https_fn.CallableRequest[Any]) -> None:
    """Refuse whoever is not signed in, or has not the organiser's claim."""
    if call.auth is None:
        raise HttpsError(FunctionsErrorCode.UNAUTHENTICATED, "Sign in to refund an order.")
    enduser.put_on_span(call.auth.uid)
    if call.auth.token.get("role") != ORGANISER:
        raise HttpsError(FunctionsErrorCode.PERMISSION_DENIED, "Only an organiser may refund.")


def order_id_in(data: object) -> str:
    """The order that the call is about."""
    order_id = data.get("order_id") if isinstance(data, dict) else None
    if not is_order_id(order_id):
        raise HttpsError(FunctionsErrorCode.INVALID_ARGUMENT, "order_id must be an order's id.")
    return order_id


def give_money_back(order_id: str, charge_id: str) -> None:
    """Have the processor refund the charge, and say to the caller whether to try again."""
    try:
        acquirer.refund(order_id, charge_id)
    except acquirer.Refused as why:
        raise HttpsError(
            FunctionsErrorCode.FAILED_PRECONDITION, "The card processor refuses the refund."
        ) from why
    except acquirer.AcquirerError as why:
        raise HttpsError(
            FunctionsErrorCode.UNAVAILABLE, "The card processor does not answer. Try again."
        ) from why


def void_tickets(transaction: firestore.Transaction, order_id: str, order: ledger.Document) -> None:
    """Give the order's seats back, and let nobody in with its tickets."""
    ledger.seats_back(order)(transaction)
    tally.add(transaction, -1, -order["seats"])
    for ticket in ledger.tickets(order_id, order):
        transaction.update(ticket, {"void": True})
