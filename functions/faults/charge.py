"""Faults of boxoffice/charge.py."""

from __future__ import annotations

import uuid

from google.cloud.firestore import SERVER_TIMESTAMP
from opentelemetry import trace

import throughline
from boxoffice import clients, facts, ledger
from boxoffice.order import State
from faults.fault import replaces


@replaces("boxoffice.charge:begin_charging", flag="writes-what-it-was-told", kind="delivery")
def begin_charging(order_id: str) -> ledger.Outcome:
    """Moves the order to charging without checking its current state.

    Pub/Sub guarantees no ordering, and may redeliver a message days later. So the last write may be
    the oldest.
    """
    reference = clients.firestore().collection(ledger.ORDERS).document(order_id)
    order = reference.get().to_dict() or {}
    changes = {"state": State.CHARGING, "moved_at.charging": SERVER_TIMESTAMP}
    reference.update({**changes, **throughline.trace_field()})
    trace.get_current_span().set_attributes(
        {
            "boxoffice.order.id": order_id,
            "boxoffice.order.state": State.CHARGING,
            facts.OUTCOME: facts.of_move(State.CHARGING),
        }
    )
    return ledger.Outcome(order, State.CHARGING, moved=True)


@replaces("boxoffice.charge:idempotency_key", flag="no-idempotency-key", kind="delivery")
def idempotency_key(order_id: str) -> str:
    """Uses a new idempotency key for the charge each time the message is delivered.

    Pub/Sub delivers at least once. The key tells the processor that it has seen the request before;
    this key looks right in every log line, but each delivery has a different one.
    """
    return f"{order_id}-{uuid.uuid4().hex[:8]}"


@replaces("boxoffice.charge:amount_cents", flag="rounds-through-floats", kind="plain")
def amount_cents(order: ledger.Document) -> int:
    """Converts cents to euros and back, and loses a cent of some amounts."""
    euros = order["amount_cents"] / 100
    return int(euros * 100)
