"""Events out of order: the last to arrive wins, although it is the oldest."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, ended_ms, invocations


def provoke(context: ScenarioContext) -> Observation:
    """Buy a ticket, and then deliver the message that started the charge again."""
    placed = context.place(context.open_show())
    context.wait_for(placed.order_id)
    # The message must arrive after issue has ended, not only after issue has moved the order.
    context.wait_for_invocation(placed.trace_id, "issue")
    context.republish(placed, "order-reserved")
    context.wait_for_invocation(placed.trace_id, "charge", times=2)
    state = context.order(placed.order_id)["state"]
    symptom = f"an order that was ticketed is {state} again"
    return Observation([placed.trace_id], symptom if state != "ticketed" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a stage that moved an order back after a later stage had ended."""
    for journey, row in invocations(journeys, "charge"):
        if row["error"] or attr(row, "boxoffice.skipped"):
            continue
        later = [
            other
            for _, other in invocations([journey], "issue")
            if attr(other, "boxoffice.order.state") == "ticketed"
            and attr(other, "boxoffice.order.id") == attr(row, "boxoffice.order.id")
            and ended_ms(other) <= row["offset_ms"]
        ]
        if later:
            gap = row["offset_ms"] - ended_ms(later[0])
            return f"charge moved the order {gap:.0f} ms after issue had ticketed it"
    return None


SCENARIO = Scenario(
    fault="writes-what-it-was-told",
    breaks=frozenset({"no lost order"}),
    report="I had my ticket. Now the page says that my card is being charged.",
    reveals="A row of charge after the row of issue, and it moved the order, which is not allowed.",
    fix="One table of legal moves, checked in the transaction that makes the move.",
    provoke=provoke,
    signature=signature,
)
