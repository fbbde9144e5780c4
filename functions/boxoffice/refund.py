"""Refund: returns a ticketed order's money and seats, on an organiser's request."""

from __future__ import annotations

import re
from typing import Any

from firebase_functions import https_fn
from firebase_functions.https_fn import FunctionsErrorCode, HttpsError
from google.cloud import firestore
from opentelemetry import trace

import function_options
import throughline
from boxoffice import (
    acquirer,
    enduser,
    facts,
    giving_up,
    ledger,
    order_events,
    tally,
    transactions,
)
from boxoffice.failure import PermanentFailure
from boxoffice.order import MoveStatus, State, check_move, is_order_id

ORGANISER = "organiser"


@https_fn.on_call(**function_options.REFUND)
@throughline.on_call
def refund(call: https_fn.CallableRequest[Any]) -> dict[str, Any]:
    """Answer {order_id} with {order_id, state: "refunded"}; the caller must be an organiser.

    The processor refunds the charge before the order moves. A call that fails between the two can
    be repeated: under the same idempotency key the processor refunds once.
    """
    require_organiser(call)
    order_id = read_order_id(call.data)
    order = ledger.read(order_id)
    if order is None:
        raise HttpsError(FunctionsErrorCode.NOT_FOUND, f"There is no order {order_id}.")
    throughline.correct_baggage({"order.id": order_id, "show.id": order.get("show_id")})
    throughline.link_to_document(order)
    try:
        return refund_order(order_id, order)
    except PermanentFailure as failure:
        # The money may be back while the order is still ticketed, which a person has to correct.
        giving_up.set_on_span(failure)
        giving_up.store_dead_letter(failure, by="refund")
        raise HttpsError(FunctionsErrorCode.FAILED_PRECONDITION, f"{failure}.") from failure


def refund_order(order_id: str, order: ledger.Document) -> dict[str, Any]:
    """Refund the order's charge, then move the order, and return the answer.

    Raises:
        HttpsError: the order is not ticketed, or the charge could not be refunded.
        PermanentFailure: the order's document, or one that the move changes, is unusable.
    """
    state = ledger.read_state(order_id, order)
    trace.get_current_span().set_attributes(facts.of_order(order, state))
    match check_move(state, State.REFUNDED), order.get("charge_id"):
        case MoveStatus.LEGAL, str(charge_id):
            ledger.check_form(order_id, state, order)
            refund_charge(order_id, charge_id)
        case MoveStatus.ALREADY_MADE, _:
            pass
        case _:
            raise HttpsError(
                FunctionsErrorCode.FAILED_PRECONDITION,
                f"Order {order_id} is {state}: only a ticketed order can be refunded.",
            )

    def void_order(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        return ledger.Move(State.REFUNDED, writes=lambda tx: void_tickets(tx, order_id, order))

    try:
        outcome = ledger.move_order(order_id, State.REFUNDED, void_order)
    except transactions.Contended as error:
        raise HttpsError(
            FunctionsErrorCode.UNAVAILABLE, f"Order {order_id} is in use. Try again."
        ) from error
    order_events.record(order_id, outcome, by=ORGANISER)
    return {"order_id": order_id, "state": outcome.state}


def require_organiser(call: https_fn.CallableRequest[Any]) -> None:
    """Refuse callers who are not signed in or lack the organiser's claim."""
    if call.auth is None:
        raise HttpsError(FunctionsErrorCode.UNAUTHENTICATED, "Sign in to refund an order.")
    enduser.set_on_span(call.auth.uid)
    if call.auth.token.get("role") != ORGANISER:
        raise HttpsError(
            FunctionsErrorCode.PERMISSION_DENIED,
            "Only an organiser may refund an order. Sign in as an organiser.",
        )


def read_order_id(data: object) -> str:
    """Return the order's id from the call's data."""
    order_id = data.get("order_id") if isinstance(data, dict) else None
    # One without a letter could be a card's number, which nobody may find on a span.
    if not is_order_id(order_id) or not re.search("[A-Za-z]", order_id):
        raise HttpsError(FunctionsErrorCode.INVALID_ARGUMENT, "order_id must be an order's id.")
    return order_id


def refund_charge(order_id: str, charge_id: str) -> None:
    """Refund the charge; an error tells the caller whether to try again."""
    try:
        acquirer.refund(order_id, charge_id)
    except acquirer.Refused as error:
        raise HttpsError(
            FunctionsErrorCode.FAILED_PRECONDITION, "The card processor refused the refund."
        ) from error
    except acquirer.AcquirerError as error:
        raise HttpsError(
            FunctionsErrorCode.UNAVAILABLE, "The card processor does not answer. Try again."
        ) from error


def void_tickets(transaction: firestore.Transaction, order_id: str, order: ledger.Document) -> None:
    """Return the order's seats to the show and void its tickets."""
    ledger.release_seats(transaction, order)
    tally.add(transaction, -1, -order["seats"])
    tickets = ledger.tickets(order_id, order)
    for ticket in tickets:
        transaction.update(ticket, {"void": True})
    transactions.note({"boxoffice.tickets.voided": len(tickets)})
