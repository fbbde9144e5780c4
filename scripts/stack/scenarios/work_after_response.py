"""A function answers, and what it does after that is never done."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, children, invocations, rows

SEND = "send order-paid"


def provoke(context: ScenarioContext) -> Observation:
    """Buy a ticket where an instance has a CPU for as long as it has a request."""
    placed = context.place(context.open_show())
    order = context.wait_until_settled(placed.order_id)
    symptom = f"the order is {order['state']}, and there is no ticket"
    return Observation([placed.trace_id], symptom if order["state"] == "paid" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """A webhook answered with 200 whose order is paid, and nobody was told, not even in vain."""
    for journey, row in invocations(journeys, "settle"):
        is_paid = attr(row, "boxoffice.order.state") == "paid"
        went_well = attr(row, "http.response.status_code") == 200 and not row["error"]
        told = [child for child in children(journey, row) if child["kind"] == "PRODUCER"]
        if is_paid and went_well and not told and not list(rows([journey], name=SEND)):
            lines = [line["body"] for line in row["logs"]]
            return f"settle answered 200 and sent nothing; its last line: {(lines or ['none'])[-1]}"
    return None


SCENARIO = Scenario(
    fault="tells-after-the-answer",
    platform_conditions=("cpu-only-during-requests",),
    breaks=frozenset({"no lost order"}),
    report="My card was charged, and the order says “paid”. The ticket never comes.",
    reveals="A row of settle that went well, says what it will do next, and has nothing under it.",
    fix="First do it, then answer: once the answer is out nothing of the function is sure to run.",
    provoke=provoke,
    signature=signature,
)
