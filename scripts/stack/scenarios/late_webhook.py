"""The vendor's webhook arrives after the hold has lapsed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from observatory.schemas.journey import Journey
from stack.clients.box_office import FINAL
from stack.errors import UserError
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, calls_to_vendor, invocations

# On a very busy machine the bank's six seconds may end before the hold does.
ATTEMPTS_MAX = 3


def provoke(context: ScenarioContext) -> Observation:
    """Pay with a card whose bank takes longer than the hold."""
    show = context.open_show()
    for _ in range(ATTEMPTS_MAX):
        placed = context.place(show, card_token=context.card("slow_bank"))
        context.wait_for(placed.order_id, {"charging", *FINAL})
        context.expire_now(placed.order_id, timedelta(seconds=1))
        order = context.wait_for(placed.order_id)
        if order["state"] == "expired":
            break
    else:
        raise UserError(
            f"The order is {order['state']}, not expired, after {ATTEMPTS_MAX} attempts: the bank "
            "answered before the hold ended.",
            hint="Run the scenario again when the machine is less busy.",
        )
    context.settled_charges(placed.order_id)
    context.wait_for_invocation(placed.trace_id, "settle")
    charges = context.charges(placed.order_id)
    kept = [c for c in charges if c["status"] == "succeeded" and not c["refund_id"]]
    symptom = f"the order is {order['state']}, and {len(kept)} charge was kept"
    return Observation([placed.trace_id], symptom if kept else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a payment for an expired order without a refund."""
    for journey, row in invocations(journeys, "settle"):
        paid = attr(row, "boxoffice.charge.status") == "succeeded"
        expired = attr(row, "boxoffice.order.state") == "expired"
        if paid and expired and not calls_to_vendor(journey, row, "/refunds"):
            return "settle received a payment for an expired order, and did not refund it"
    return None


SCENARIO = Scenario(
    fault="keeps-late-money",
    breaks=frozenset({"no lost order"}),
    report="My order says expired, but the money was taken, and it has not come back.",
    reveals="A row of settle after the row of expire, with a charge that succeeded, and no refund.",
    fix="Refund a payment for an order that has ended, with an idempotency key.",
    provoke=provoke,
    signature=signature,
)
