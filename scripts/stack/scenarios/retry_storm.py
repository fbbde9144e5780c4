"""Retries in two layers against a vendor that is down."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, calls_to_vendor, invocations

# Without the fault, charge makes at most five deliveries with three calls each.
REQUESTS_MAX = 15
CALLS_PER_DELIVERY_MAX = 5


def provoke(context: ScenarioContext) -> Observation:
    """Pay with a card whose processor is down for two seconds."""
    card = context.card("unavailable")
    placed = context.place(context.open_show(), card_token=card)
    context.wait_for(placed.order_id)
    requests = context.usage(card)
    symptom = f"the processor got {requests} requests for one order while it was down"
    return Observation([placed.trace_id], symptom if requests > REQUESTS_MAX else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find an invocation that calls a failing vendor many times."""
    for journey, row in invocations(journeys):
        failed = [
            call
            for call in calls_to_vendor(journey, row, "/charges")
            if (attr(call, "http.response.status_code") or 0) >= 500
        ]
        if len(failed) > CALLS_PER_DELIVERY_MAX:
            took = failed[-1]["offset_ms"] - failed[0]["offset_ms"]
            return f"{row['service']} called the vendor {len(failed)} times in {took:.0f} ms"
    return None


SCENARIO = Scenario(
    fault="hammers-the-vendor",
    report="The card processor writes that we flood them, and that they were only restarting.",
    reveals="Dozens of failed calls to the vendor under one row of charge, with no gap in between.",
    fix="A few calls with growing, jittered pauses, and then the platform's redelivery.",
    provoke=provoke,
    signature=signature,
)
