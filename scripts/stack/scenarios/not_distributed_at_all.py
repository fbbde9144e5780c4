"""An intermittent failure across five services that is a simple mistake in one line."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, calls_to_vendor, invocations

PRICES_CENTS = (1000, 1999, 2500)


def provoke(context: ScenarioContext) -> Observation:
    """Buy tickets at three prices."""
    orders = [context.place(context.open_show(price_cents=price)) for price in PRICES_CENTS]
    states = {
        order.order_id: context.wait_until_settled(order.order_id)["state"] for order in orders
    }
    failed = [
        order
        for order in orders
        if states[order.order_id] == "failed"
        and any(c["status"] == "succeeded" for c in context.charges(order.order_id))
    ]
    symptom = f"{len(failed)} of {len(orders)} orders failed after their cards were charged"
    first = sorted(orders, key=lambda order: order not in failed)
    return Observation([order.trace_id for order in first], symptom if failed else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a charge that the processor accepted as requested, and that differs from its order."""
    for journey, row in invocations(journeys, "settle"):
        charged, cost = (
            attr(row, f"boxoffice.{what}.amount_cents") for what in ("charge", "order")
        )
        requested = [
            attr(charge, "boxoffice.charge.amount_cents")
            for _, charge in invocations([journey], "charge")
            for call in calls_to_vendor(journey, charge, "/charges")
            if attr(call, "http.response.status_code") == 202
        ]
        if attr(row, "boxoffice.charge.differs_in") == "amount_cents" and charged in requested:
            return f"charge requested {charged} cents for an order that costs {cost}"
    return None


SCENARIO = Scenario(
    fault="rounds-through-floats",
    report="Some orders fail right after the card was charged. It must be the network.",
    reveals="Every hop is fine; settle has both amounts, and charge requested the wrong one.",
    fix="Keep amounts in whole cents: one line in charge.",
    provoke=provoke,
    signature=signature,
)
