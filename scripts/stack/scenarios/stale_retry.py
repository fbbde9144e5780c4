"""A task that is hours late acts on the state at the time it was created."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, ended_ms, invocations

LATE = timedelta(hours=3)


def provoke(context: ScenarioContext) -> Observation:
    """Buy a ticket, and deliver the task that ends its hold three hours late."""
    show = context.open_show(seats=5)
    placed = context.place(show)
    context.wait_for(placed.order_id)
    # The task must start after issue has ended, not only after issue has moved the order.
    context.wait_for_invocation(placed.trace_id, "issue")
    context.expire_now(placed.order_id, LATE)
    order, left = context.order(placed.order_id), context.seats_left(show)
    symptom = f"a ticketed order is {order['state']}, and its seat is for sale again ({left} of 5)"
    return Observation([placed.trace_id], symptom if order["state"] != "ticketed" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a late task that expired an order that was already ticketed."""
    for journey, row in invocations(journeys, "expire"):
        late = attr(row, "boxoffice.task.late_seconds") or 0
        moved = attr(row, "boxoffice.order.state") == "expired"
        ticketed = [
            other
            for _, other in invocations([journey], "issue")
            if attr(other, "boxoffice.order.state") == "ticketed"
            and attr(other, "boxoffice.order.id") == attr(row, "boxoffice.order.id")
            and ended_ms(other) <= row["offset_ms"]
        ]
        if late > 60 and moved and ticketed:
            return f"expire ran {late / 3600:.1f} h late and expired an order that was ticketed"
    return None


SCENARIO = Scenario(
    fault="expires-whatever-it-finds",
    breaks=frozenset({"no oversell"}),
    report="My ticket was valid at noon. At the door somebody else had my seat.",
    reveals="A row of expire after the row of issue: hours late, and it moved the order.",
    fix="Check the order's state in the transaction that moves it: a ticketed order can't expire.",
    provoke=provoke,
    signature=signature,
)
