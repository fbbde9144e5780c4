"""A trigger that writes to its own collection, and so triggers itself."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import ancestors, attr, invocations

DEPTH = 3


def provoke(context: ScenarioContext) -> Observation:
    """Buy one ticket of a show with five seats, and count the seats left."""
    show = context.open_show(seats=5)
    placed = context.place(show)
    done: set[str] = set()
    # An invocation writes its copy before it ends, so after the last one there are no more orders.
    while more := set(context.orders_of(show)) - done:
        for order_id in more:
            context.wait_for_end_of("reserve", order_id)
            context.wait_for(order_id)
        done |= more
    sold = 5 - context.seats_left(show)
    symptom = f"one ticket was bought, and {sold} seats are gone"
    return Observation([placed.trace_id], symptom if sold > 1 else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a function that is its own ancestor repeatedly, for different documents."""
    for journey, row in invocations(journeys):
        if row["hop"] != "trigger":
            continue
        above = [
            other
            for other in ancestors(journey, row)
            if other["service"] == row["service"] and other["hop"] == "trigger"
        ]
        documents = {attr(other, "faas.document.name") for other in [row, *above]}
        if len(documents) >= DEPTH:
            return f"{row['service']} triggered itself {len(documents) - 1} times"
    return None


SCENARIO = Scenario(
    fault="copies-into-its-own-collection",
    report="I bought one ticket, and now the show is nearly sold out. Our bill has gone up too.",
    reveals="A function under itself repeatedly, each time for another document of a collection.",
    fix="Write to a collection without a trigger: audit has its own collection.",
    provoke=provoke,
    signature=signature,
)
