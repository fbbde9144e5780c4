"""A message that Pub/Sub delivers twice charges the card twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, calls_to_vendor, invocations


def provoke(context: ScenarioContext) -> Observation:
    """Deliver the message that starts the charge a second time, while the bank is slow."""
    placed = context.place(context.open_show(), card_token=context.card("slow_bank"))
    context.wait_for_invocation(placed.trace_id, "charge")
    context.republish(placed, "order-reserved")
    context.wait_for_invocation(placed.trace_id, "charge", times=2)
    context.wait_for(placed.order_id)
    taken = [
        charge
        for charge in context.settled_charges(placed.order_id)
        if charge["status"] == "succeeded" and not charge["refund_id"]
    ]
    symptom = f"the card's statement has {len(taken)} charges for one order"
    return Observation([placed.trace_id], symptom if len(taken) > 1 else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find successful deliveries for one order, each with its own charge."""
    charges: dict[str, set[str]] = defaultdict(set)
    for journey, row in invocations(journeys, "charge"):
        calls = calls_to_vendor(journey, row, "/charges")
        charge = attr(row, "boxoffice.charge.id")
        if charge and len(calls) == 1 and not row["error"]:
            charges[attr(row, "boxoffice.order.id")].add(charge)
    for order, ids in charges.items():
        if len(ids) > 1:
            return f"{len(ids)} invocations of charge for order {order} made {len(ids)} charges"
    return None


SCENARIO = Scenario(
    fault="no-idempotency-key",
    breaks=frozenset({"no double charge"}),
    report="I bought one ticket, and my card was charged twice.",
    reveals="Two rows of charge for one order, with different charge ids, and neither failed.",
    fix="One idempotency key for each order, so that the processor detects the repetition.",
    provoke=provoke,
    signature=signature,
)
