"""What the end of a charge means for its order, whoever brings the news.

The processor's webhook does, as a rule. Where it got lost, the answer to asking for the charge
again says the same.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from google.cloud import firestore
from opentelemetry import trace

from boxoffice import acquirer, ledger, order_events, topics
from boxoffice.order import State, is_order_id

_log = logging.getLogger(__name__)

ENDED = ("succeeded", "declined")


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


class NotOurs(Exception):
    """The charge is genuine, but not one that an order of ours asked for."""


def settle_order(charge: Mapping[str, Any], by: str) -> ledger.Outcome:
    """Move the order that `charge` paid for, or failed to, and tell who waits for that.

    Money for an order whose hold had lapsed goes back: its seats are somebody else's now.

    Raises:
        NotOurs: the charge names no order, or is not as the order asked for it, or has not ended.
        acquirer.AcquirerError: money should go back and does not, yet.
    """
    check_form(charge)
    span = trace.get_current_span()
    span.set_attribute("boxoffice.charge.id", str(charge.get("id")))
    span.set_attribute("boxoffice.charge.status", str(charge.get("status")))
    order_id, outcome = move_order(charge)
    if outcome.state is State.PAID:
        announce_payment(order_id)
    order_events.record(order_id, outcome, by=by)
    if outcome.state is State.EXPIRED and charge["status"] == "succeeded":
        span.set_attribute("boxoffice.payment.late", True)
        return_late_money(order_id, str(charge["id"]))
    return outcome


def check_form(charge: Mapping[str, Any]) -> None:
    """Check that the charge names an order, and that its fields can be stored.

    Raises:
        NotOurs: it does not, or one of them cannot.
    """
    if not is_order_id(charge["metadata"].get("order_id")):
        raise NotOurs("the charge's metadata names no order")
    for name, has_form in FIELDS.items():
        if not has_form(charge.get(name)):
            raise NotOurs(f"the charge has no usable {name}")


def announce_payment(order_id: str) -> None:
    """Publish that the order is paid; returns when Pub/Sub has the message.

    Raises what `topics.tell` raises; the processor is then answered with an error, and calls again.
    """
    topics.tell(topics.ORDER_PAID, order_id)


def return_late_money(order_id: str, charge_id: str) -> None:
    """Refund what was paid for an order whose hold had lapsed.

    Raises:
        acquirer.AcquirerError: the processor does not refund it, yet.
    """
    _log.warning("Order %s is expired and was paid for; the money goes back", order_id)
    acquirer.refund(order_id, charge_id)


def move_order(charge: Mapping[str, Any]) -> tuple[str, ledger.Outcome]:
    """Move the order that `charge` paid for, or failed to; returns its id and where it is now."""
    order_id = charge["metadata"]["order_id"]

    def paid(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        if (charge.get("amount_cents"), charge.get("currency")) != (
            order["amount_cents"],
            order["currency"],
        ):
            raise NotOurs(f"the charge is not the one order {order_id} asked for")
        return ledger.Move(State.PAID, {"charge_id": str(charge.get("id"))})

    def declined(order: ledger.Document, _transaction: firestore.Transaction) -> ledger.Move:
        return ledger.Move(
            State.DECLINED,
            {
                "charge_id": str(charge.get("id")),
                "reason": str(charge.get("decline_code") or "card_declined"),
            },
            ledger.seats_back(order),
        )

    match charge.get("status"):
        case "succeeded":
            return order_id, ledger.advance(order_id, State.PAID, paid)
        case "declined":
            return order_id, ledger.advance(order_id, State.DECLINED, declined)
        case other:
            raise NotOurs(f"the charge's status is {other!r}")
