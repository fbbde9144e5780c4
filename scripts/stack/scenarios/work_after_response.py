"""Work that a function does after its response is lost."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, children, invocations, rows

SEND = "send order-paid"


def provoke(context: ScenarioContext) -> Observation:
    """Buy a ticket while an instance has a CPU only during requests."""
    placed = context.place(context.open_show())
    order = context.wait_until_settled(placed.order_id)
    symptom = f"the order is {order['state']}, and there is no ticket"
    return Observation([placed.trace_id], symptom if order["state"] == "paid" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a successful webhook for a paid order without any attempt to send order-paid."""
    for journey, row in invocations(journeys, "settle"):
        is_paid = attr(row, "boxoffice.order.state") == "paid"
        went_well = attr(row, "http.response.status_code") == 200 and not row["error"]
        sends = [child for child in children(journey, row) if child["kind"] == "PRODUCER"]
        if is_paid and went_well and not sends and not list(rows([journey], name=SEND)):
            lines = [line["body"] for line in row["logs"]]
            last_line = (lines or ["none"])[-1]
            return f"settle answered 200 and sent nothing; its last log line: {last_line}"
    return None


SCENARIO = Scenario(
    fault="tells-after-the-answer",
    platform_conditions=("cpu-only-during-requests",),
    breaks=frozenset({"no lost order"}),
    report="My card was charged, and the order says “paid”. The ticket never comes.",
    reveals="A row of settle that succeeded and logged what it will publish, but has no send.",
    fix="Publish before the response: after it, the platform may stop the function at any time.",
    provoke=provoke,
    signature=signature,
)
