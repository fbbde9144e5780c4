"""Faults of boxoffice/expire.py."""

from __future__ import annotations

from google.cloud.firestore import SERVER_TIMESTAMP, Increment
from opentelemetry import trace

import throughline
from boxoffice import clients, facts, ledger
from boxoffice.order import State
from faults.fault import replaces


@replaces("boxoffice.expire:end_hold", flag="expires-whatever-it-finds", kind="delivery")
def end_hold(order_id: str) -> None:
    """Expires the order that its task names, without checking the order's current state.

    A task that runs hours late acts on an old fact: when the task was created, the order was not
    paid.
    """
    reference = clients.firestore().collection(ledger.ORDERS).document(order_id)
    order = reference.get().to_dict() or {}
    show = clients.firestore().collection(ledger.SHOWS).document(order["show_id"])
    changes = {"state": "expired", "moved_at.expired": SERVER_TIMESTAMP}
    batch = clients.firestore().batch()
    batch.update(reference, {**changes, **throughline.trace_field()})
    batch.update(show, {"seats_left": Increment(order["seats"])})
    batch.commit()
    trace.get_current_span().set_attributes(
        {"boxoffice.order.state": "expired", facts.OUTCOME: facts.of_move(State.EXPIRED)}
    )
