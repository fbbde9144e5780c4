"""Retries in two layers against a vendor that is down."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, calls_to_vendor, invocations

# Five deliveries of three tries each is the most that the right way asks.
FAIR_SHARE = 15
TRIES_A_DELIVERY = 5


def provoke(context: ScenarioContext) -> Observation:
    """Pay with a card whose processor is down for two seconds."""
    card = context.card("unavailable")
    placed = context.place(context.open_show(), card_token=card)
    context.wait_for(placed.order_id)
    asked = context.usage(card)
    symptom = f"the processor got {asked} requests for one order while it was down"
    return Observation([placed.trace_id], symptom if asked > FAIR_SHARE else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """One invocation that calls a failing vendor many times."""
    for journey, row in invocations(journeys):
        failed = [
            call
            for call in calls_to_vendor(journey, row, "/charges")
            if (attr(call, "http.response.status_code") or 0) >= 500
        ]
        if len(failed) > TRIES_A_DELIVERY:
            took = failed[-1]["offset_ms"] - failed[0]["offset_ms"]
            return f"{row['service']} called the vendor {len(failed)} times in {took:.0f} ms"
    return None


SCENARIO = Scenario(
    fault="hammers-the-vendor",
    report="The card processor writes that we flood them, and that they were only restarting.",
    reveals="Dozens of failed calls to the vendor under one row of charge, with no gap in between.",
    fix="A few tries with growing, uneven pauses; the platform's redelivery is the patient one.",
    provoke=provoke,
    signature=signature,
)
