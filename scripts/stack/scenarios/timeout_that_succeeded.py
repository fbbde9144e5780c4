"""A call timed out, although the vendor had processed it."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, calls_to_vendor, invocations


def provoke(context: ScenarioContext) -> Observation:
    """Pay with a card that the processor charges at once, but responds too late."""
    placed = context.place(context.open_show(), card_token=context.card("late_answer"))
    context.wait_for(placed.order_id)
    # The order is ticketed long before the first call of charge times out.
    context.wait_for_invocation(placed.trace_id, "charge")
    charges = context.settled_charges(placed.order_id)
    context.wait_for_invocation(placed.trace_id, "settle", times=len(charges))
    taken = [c for c in charges if c["status"] == "succeeded" and not c["refund_id"]]
    symptom = f"the card's statement has {len(taken)} charges for one order"
    return Observation([placed.trace_id], symptom if len(taken) > 1 else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a call without a response, a repeated call with one, and two settled charges."""
    for journey, row in invocations(journeys, "charge"):
        calls = calls_to_vendor(journey, row, "/charges")
        statuses = [attr(call, "http.response.status_code") for call in calls]
        settled = {
            attr(other, "boxoffice.charge.id") for _, other in invocations([journey], "settle")
        }
        order = attr(row, "boxoffice.order.id")
        if None in statuses[:-1] and statuses[-1] == 202 and len(settled) > 1:
            return (
                f"charge got no response, repeated the call for order {order}, and both succeeded"
            )
    return None


SCENARIO = Scenario(
    fault="new-key-each-try",
    breaks=frozenset({"no double charge"}),
    report="It took a while to pay, and then my card was charged twice.",
    reveals="Two calls under one row of charge, the first without a response, and two webhooks.",
    fix="Use the same key for each attempt: a timeout does not mean that the call failed.",
    provoke=provoke,
    signature=signature,
)
