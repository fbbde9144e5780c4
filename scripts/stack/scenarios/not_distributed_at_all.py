"""An intermittent failure across five services that is a simple mistake in one line."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey, Row
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
    hanging = [
        order
        for order in orders
        if states[order.order_id] == "charging"
        and any(c["status"] == "succeeded" for c in context.charges(order.order_id))
    ]
    symptom = f"{len(hanging)} of {len(orders)} orders hang at “charging”, with their cards charged"
    first = sorted(orders, key=lambda order: order not in hanging)
    return Observation([order.trace_id for order in first], symptom if hanging else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a webhook that settle rejected, for a charge that the processor accepted."""
    for journey, row in invocations(journeys, "settle"):
        refused = attr(row, "http.response.status_code") == 422 and row["context"] == "carried"
        taken = any(
            attr(call, "http.response.status_code") == 202
            for _, charge in invocations([journey], "charge")
            for call in calls_to_vendor(journey, charge, "/charges")
        )
        if refused and taken:
            return f"settle rejected a charge that the processor had accepted: {_log_line(row)}"
    return None


def _log_line(row: Row) -> str:
    lines = [line["body"] for line in row["logs"]]
    return lines[-1] if lines else "no log line"


SCENARIO = Scenario(
    fault="rounds-through-floats",
    breaks=frozenset({"no lost order"}),
    report="Some orders hang at “charging” though the card was charged. It must be the network.",
    reveals="Every hop is fine; settle answers 422, and its log line says the amounts differ.",
    fix="Keep amounts in whole cents: one line in charge.",
    provoke=provoke,
    signature=signature,
)
