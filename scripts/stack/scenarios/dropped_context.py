"""One hop does not carry the context: the order continues in a second trace."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, children, invocations, rows


def provoke(context: ScenarioContext) -> Observation:
    """Buy a ticket, and look it up by the support code that the page shows."""
    placed = context.place(context.open_show())
    order = context.wait_for(placed.order_id)
    # The order reaches its final state before its last spans are stored, in either trace.
    context.wait_for_end_of("issue", placed.order_id)
    others = [trace for trace in context.traces_of(placed.order_id) if trace != placed.trace_id]
    symptom = f"the order is {order['state']}, and its support code finds only half of its spans"
    return Observation([placed.trace_id, *others], symptom if others else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a send without a receiver, and a root that received a message of the same topic."""
    sent = {
        str(attr(row, "messaging.destination.name"))
        for journey, row in rows(journeys)
        if row["kind"] == "PRODUCER"
        and attr(row, "messaging.system") == "gcp_pubsub"
        and row["service"] != "redelivery"
        and not row["error"]
        and not children(journey, row)
    }
    for _, row in invocations(journeys):
        topic = str(attr(row, "messaging.destination.name"))
        if row["hop"] == "pubsub" and row["context"] == "absent" and topic in sent:
            return f"{row['service']} found no context on {topic}, and started a new trace"
    return None


SCENARIO = Scenario(
    fault="drops-the-context",
    report="Support can't follow an order: by its code they see it paid, and then nothing.",
    reveals="A send without children, and a trace whose root received a message: context absent.",
    fix="Pass the context on with each message: one function publishes, and every stage uses it.",
    provoke=provoke,
    signature=signature,
)
