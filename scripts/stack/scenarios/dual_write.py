"""Of two writes that belong together, only the first is made."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, children, invocations


def provoke(context: ScenarioContext) -> Observation:
    """Buy a ticket while Pub/Sub rejects the first message of each order."""
    placed = context.place(context.open_show())
    order = context.wait_until_settled(placed.order_id)
    symptom = f"the order says {order['state']}, and nothing more happens"
    return Observation([placed.trace_id], symptom if order["state"] == "reserved" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find an attempt that skipped its work, after every attempt to send failed."""
    for journey in journeys:
        attempts = [row for _, row in invocations([journey], "reserve")]
        sends = [
            child
            for row in attempts
            for child in children(journey, row)
            if child["name"] == "send order-reserved"
        ]
        done = [row for row in attempts if attr(row, "boxoffice.skipped") == "done"]
        if done and sends and all(send["error"] for send in sends):
            return "the order moved, its message failed, and the next attempt skipped its work"
    return None


SCENARIO = Scenario(
    fault="tells-only-if-it-moved",
    platform_conditions=("pubsub-refuses-once",),
    breaks=frozenset({"no lost order"}),
    report="My order has said “reserved” for minutes. Others who came later have their tickets.",
    reveals="A send that failed after the order moved, and an attempt after it that sent nothing.",
    fix="Publish again whenever the order has moved: the next stage is idempotent.",
    provoke=provoke,
    signature=signature,
)
