"""A message that makes its function fail each time, until it is dead-lettered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, invocations, rows


def provoke(context: ScenarioContext) -> Observation:
    """Buy a ticket of a show whose id is a single word."""
    placed = context.place(context.open_show(prefix="gala"))
    order = context.wait_until_settled(placed.order_id)
    symptom = f"the order is {order['state']}, and there is no ticket"
    return Observation([placed.trace_id], symptom if order["state"] == "paid" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a function that failed with the same error at each attempt, and a dead letter."""
    errors: Counter[tuple[str, str]] = Counter()
    went_well = set()
    for _, row in invocations(journeys):
        if row["error"]:
            errors[row["service"], str(attr(row, "error.type"))] += 1
        else:
            went_well.add(row["service"])
    gave_up = any(row["error"] for _, row in rows(journeys, "redelivery", "send dead-letter"))
    for (function, error), count in errors.items():
        if gave_up and count >= 3 and function not in went_well:
            return (
                f"{function} failed {count} times with {error}, and its message was dead-lettered"
            )
    return None


SCENARIO = Scenario(
    fault="chokes-on-a-name",
    breaks=frozenset({"no lost order"}),
    report="I paid for the gala an hour ago and have no ticket. For other shows it works.",
    reveals="The same exception at each attempt, with growing gaps, and a dead letter at the end.",
    fix="Accept any name. And monitor the dead letters: behind each is a buyer who waits.",
    provoke=provoke,
    signature=signature,
)
