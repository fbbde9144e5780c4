"""Applies the result of a charge to its order.

The result usually arrives by the processor's webhook. If that is lost, the response to a repeated
charge request carries the same charge.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from google.cloud import firestore
from opentelemetry import trace

from boxoffice import (
    acquirer,
    clients,
    facts,
    giving_up,
    ledger,
    order_events,
    topics,
    transactions,
)
from boxoffice.failure import OrderFailure, PermanentFailure
from boxoffice.order import State, is_order_id

_log = logging.getLogger(__name__)

FINAL_STATUSES = ("succeeded", "declined")


def _is_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[A-Za-z0-9_.-]{1,64}", value) is not None


# The fields of a charge that reach the order, the span and the log.
FIELDS: Mapping[str, Callable[[object], bool]] = {
    "id": _is_id,
    "status": _is_id,
    "amount_cents": lambda value: type(value) is int and 0 < value < 2**53,
    "currency": _is_id,
    "decline_code": lambda value: value is None or _is_id(value),
}


class UnknownCharge(PermanentFailure):
    """Raised for a genuine charge that names no order of ours, or is malformed."""

    reason = "unknown_charge"


def settle_order(charge: Mapping[str, Any], by: str) -> ledger.Outcome:
    """Move the order of `charge` to paid or declined, and publish the result.

    A payment for an expired order is refunded, because its seats may have been sold again. An order
    fails if its charge differs from what it requested; that payment is refunded too. `by` is the
    stage's name, for the audit log.

    Raises:
        UnknownCharge: the charge names no order, is malformed, or has not ended.
        acquirer.Refused: the processor refuses to refund the payment.
        acquirer.AcquirerError: the payment could not be refunded yet.
    """
    check_form(charge)
    span = trace.get_current_span()
    span.set_attributes(facts.of_charge({}, charge))
    order_id = charge["metadata"]["order_id"]
    try:
        outcome = apply_charge(order_id, charge)
    except OrderFailure as failure:
        if charge["status"] == "succeeded":
            failure.charge_id = charge["id"]
        return giving_up.fail_order(failure, by)
    if outcome.state is State.PAID:
        announce_payment(order_id)
    order_events.record(order_id, outcome, by=by)
    if is_late_payment(charge, outcome):
        span.set_attribute("boxoffice.payment.late", outcome.order.get("reason") != "sold_out")
        refund_late_payment(order_id, charge["id"])
    return outcome


def is_late_payment(charge: Mapping[str, Any], outcome: ledger.Outcome) -> bool:
    """Return whether the charge is a payment for an order that has ended without it: too late, or
    without a hold and after others had paid for the seats.

    An order that failed because of this charge has stored its id, and the money is back.
    """
    if charge["status"] != "succeeded" or outcome.order.get("charge_id") == charge["id"]:
        return False
    return outcome.state in (State.EXPIRED, State.FAILED)


def check_form(charge: Mapping[str, Any]) -> None:
    """Check that the charge names an order and that its fields are well-formed.

    Raises:
        UnknownCharge: it names no order, or a field is malformed.
    """
    if not is_order_id(charge["metadata"].get("order_id")):
        raise UnknownCharge("the charge's metadata names no order")
    for name, has_form in FIELDS.items():
        if not has_form(charge.get(name)):
            raise UnknownCharge(f"the charge has no usable {name}")


def announce_payment(order_id: str) -> None:
    """Publish that the order is paid, and wait until Pub/Sub has the message.

    Raises what `topics.publish` raises. The webhook is then answered with an error, and the
    processor sends it again.
    """
    topics.publish(topics.ORDER_PAID, order_id)


def refund_late_payment(order_id: str, charge_id: str) -> None:
    """Refund the payment for an order that had ended without it.

    Raises:
        acquirer.Refused: the processor refuses to refund it.
        acquirer.AcquirerError: the processor has not refunded it yet.
    """
    _log.warning("Order %s was paid after it had ended; refunding the payment", order_id)
    acquirer.refund(order_id, charge_id)


def sell_seats(
    order: ledger.Document, transaction: firestore.Transaction, charge_id: str
) -> ledger.Move:
    """Move a charged order to paid.

    An order without a hold takes its seats from the show's stock now. If others have bought them,
    it expires, and its payment is refunded like one that comes too late.
    """
    changes = {"charge_id": charge_id}
    if order.get("has_hold", True):
        return ledger.Move(State.PAID, changes)
    show_reference = clients.firestore().collection(ledger.SHOWS).document(order["show_id"])
    show = show_reference.get(transaction=transaction).to_dict() or {}
    before = show.get("seats_left", 0)
    seats_left = before - order["seats"]
    if seats_left < 0:
        transactions.note(facts.of_refusal(order["seats"], before))
        return ledger.Move(State.EXPIRED, {"reason": "sold_out"})
    transactions.note(facts.of_stock(before, seats_left))
    return ledger.Move(
        State.PAID, changes, lambda tx: tx.update(show_reference, {"seats_left": seats_left})
    )


def apply_charge(order_id: str, charge: Mapping[str, Any]) -> ledger.Outcome:
    """Move the order to paid or declined, as its charge ended."""

    def to_paid(order: ledger.Document, transaction: firestore.Transaction) -> ledger.Move:
        trace.get_current_span().set_attributes(facts.of_charge(order, charge))
        if fields := differing_fields(order, charge):
            names = ", ".join(fields)
            message = f"the charge differs from what order {order_id} costs, in {names}"
            raise OrderFailure(order_id, State.CHARGING, "charge_differs", message)
        return sell_seats(order, transaction, charge["id"])

    def to_declined(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        transactions.note(facts.of_charge(order, charge))
        return ledger.Move(
            State.DECLINED,
            {
                "charge_id": charge["id"],
                "reason": charge.get("decline_code") or "card_declined",
            },
            lambda transaction: ledger.release_seats(transaction, order),
        )

    match charge["status"]:
        case "succeeded":
            return ledger.move_order(order_id, State.PAID, to_paid)
        case "declined":
            return ledger.move_order(order_id, State.DECLINED, to_declined)
        case other:
            raise UnknownCharge(f"the charge's status is {other!r}")


def differing_fields(order: ledger.Document, charge: Mapping[str, Any]) -> list[str]:
    """Return the fields in which a charge differs from what its order requested."""
    return [name for name in ("amount_cents", "currency") if charge[name] != order[name]]
