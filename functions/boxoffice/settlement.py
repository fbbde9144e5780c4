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

from boxoffice import acquirer, clients, ledger, order_events, topics
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


class UnknownCharge(Exception):
    """Raised for a genuine charge that does not match an order of ours."""


def settle_order(charge: Mapping[str, Any], by: str) -> ledger.Outcome:
    """Move the order of `charge` to paid or declined, and publish the result.

    A payment for an expired order is refunded, because its seats may have been sold again; so is
    one for an order without a hold whose seats are sold. `by` is the stage's name, for the audit
    log.

    Raises:
        UnknownCharge: the charge names no order, differs from what the order requested, or has not
            ended.
        acquirer.AcquirerError: a late payment could not be refunded yet.
    """
    check_form(charge)
    span = trace.get_current_span()
    span.set_attribute("boxoffice.charge.id", str(charge.get("id")))
    span.set_attribute("boxoffice.charge.status", str(charge.get("status")))
    order_id, outcome = apply_charge(charge)
    if outcome.state is State.PAID:
        announce_payment(order_id)
    order_events.record(order_id, outcome, by=by)
    if outcome.state is State.EXPIRED and charge["status"] == "succeeded":
        span.set_attribute("boxoffice.payment.late", outcome.order.get("reason") != "sold_out")
        refund_late_payment(order_id, str(charge["id"]))
    return outcome


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
    """Refund the payment for an order whose hold had lapsed.

    Raises:
        acquirer.AcquirerError: the processor has not refunded it yet.
    """
    _log.warning("Order %s was paid after it expired; refunding the payment", order_id)
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
    seats_left = show.get("seats_left", 0) - order["seats"]
    if seats_left < 0:
        return ledger.Move(State.EXPIRED, {**changes, "reason": "sold_out"})
    return ledger.Move(
        State.PAID, changes, lambda tx: tx.update(show_reference, {"seats_left": seats_left})
    )


def apply_charge(charge: Mapping[str, Any]) -> tuple[str, ledger.Outcome]:
    """Move the order of `charge` to paid or declined; return its id and the outcome."""
    order_id = charge["metadata"]["order_id"]

    def to_paid(order: ledger.Document, transaction: firestore.Transaction) -> ledger.Move:
        if (charge.get("amount_cents"), charge.get("currency")) != (
            order["amount_cents"],
            order["currency"],
        ):
            raise UnknownCharge(f"the charge differs from what order {order_id} requested")
        return sell_seats(order, transaction, str(charge.get("id")))

    def to_declined(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        return ledger.Move(
            State.DECLINED,
            {
                "charge_id": str(charge.get("id")),
                "reason": str(charge.get("decline_code") or "card_declined"),
            },
            lambda transaction: ledger.release_seats(transaction, order),
        )

    match charge.get("status"):
        case "succeeded":
            return order_id, ledger.move_order(order_id, State.PAID, to_paid)
        case "declined":
            return order_id, ledger.move_order(order_id, State.DECLINED, to_declined)
        case other:
            raise UnknownCharge(f"the charge's status is {other!r}")
