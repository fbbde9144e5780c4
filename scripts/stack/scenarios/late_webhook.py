"""The vendor's word comes after the hold has lapsed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from observatory.schemas.journey import Journey
from stack.box_office import FINAL
from stack.problem import Problem
from stack.rehearsal.scenario import Scenario, Seen
from stack.rehearsal.signs import calls_to_vendor, invocations, said
from stack.rehearsal.stage import Stage

# On a machine that is very busy the bank's six seconds may be over first.
TIMES_MAX = 3


def provoke(stage: Stage) -> Seen:
    """Pay with a card whose bank takes longer than the hold."""
    show = stage.open_show()
    for _ in range(TIMES_MAX):
        placed = stage.place(show, card_token=stage.card("slow_bank"))
        stage.wait_for(placed.order_id, {"charging", *FINAL})
        stage.expire_now(placed.order_id, timedelta(seconds=1))
        order = stage.wait_for(placed.order_id)
        if order["state"] == "expired":
            break
    else:
        raise Problem(f"The order is {order['state']}: the bank was faster than the hold.")
    stage.settled_charges(placed.order_id)
    stage.wait_for_invocation(placed.trace_id, "settle")
    charges = stage.charges(placed.order_id)
    kept = [c for c in charges if c["status"] == "succeeded" and not c["refund_id"]]
    symptom = f"the order is {order['state']}, and {len(kept)} charge was kept"
    return Seen([placed.trace_id], symptom if kept else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Money that came for an expired order, and no call to give it back."""
    for journey, row in invocations(journeys, "settle"):
        paid = said(row, "boxoffice.charge.status") == "succeeded"
        expired = said(row, "boxoffice.order.state") == "expired"
        if paid and expired and not calls_to_vendor(journey, row, "/refunds"):
            return "settle was told of money for an expired order, and gave none back"
    return None


SCENARIO = Scenario(
    fault="keeps-late-money",
    breaks=frozenset({"no lost order"}),
    report="My order says expired, but the money was taken, and it has not come back.",
    reveals="A row of settle after the row of expire, with a charge that succeeded, and no refund.",
    fix="Money for an order that has ended goes back, under a key, however often it is told of.",
    provoke=provoke,
    signature=signature,
)
