"""The security rules deny a query, and the page shows an empty list."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.browser_actions import buy, open_page
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, rows


def provoke(context: ScenarioContext) -> Observation:
    """Buy a ticket in a browser, and look for it under “My orders”."""
    show = context.open_show()
    with open_page(context.page_address()) as page:
        buy(page, show)
        order_id = context.order_placed_for(show)
        order = context.wait_for(order_id)
        page.reload()
        shown = page.locator(".order[data-order-id]")
        empty_state = page.get_by_text("No orders yet.")
        shown.or_(empty_state).first.wait_for()
        is_missing = shown.count() == 0
    symptom = f"the order is {order['state']}, and the page says “No orders yet.”"
    trace_id = order["_trace"]["traceparent"].split("-")[1]
    denied = context.rules_traces_of(str(order["uid"]), wait=is_missing)
    return Observation([*denied, trace_id], symptom if is_missing else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a query that the rules denied as a whole, with the line that denied it."""
    for _, row in rows(journeys, "firestore.rules"):
        is_query = attr(row, "db.operation.name") == "list"
        if is_query and attr(row, "throughline.rules.outcome") in ("deny", "error"):
            rules_line = f"{attr(row, 'code.file.path')} line {attr(row, 'code.line.number')}"
            return f"{row['name']}, by {rules_line}"
    return None


SCENARIO = Scenario(
    fault="denial-looks-empty",
    report="I paid, and have the mail from my bank. But “My orders” says that I have none.",
    reveals="Only the rules have an error: a list that was denied, with the line that denied it.",
    fix="Query only what the rules allow, and show errors as errors.",
    provoke=provoke,
    signature=signature,
)
