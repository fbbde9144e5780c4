"""An order that is written offline, and arrives after the sale has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from observatory.schemas.journey import Journey
from stack.clients.box_office import FINAL
from stack.scenario_runner.browser_actions import (
    buy,
    lose_connection_when_paying,
    open_page,
    wait_for_order,
)
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import ancestors, attr, invocations

AWAY_MS = 7_000
LONG_SECONDS = 5


def provoke(context: ScenarioContext) -> Observation:
    """Pay while offline; the sale ends before the page is online again."""
    show = context.open_show()
    with open_page(context.page_address()) as page:
        context.flags.wait_until_effective()
        lose_connection_when_paying(page)
        buy(page, show)
        page.locator(".order[data-order-id]").wait_for()
        context.box_office.documents.update(
            f"shows/{show}", {"sale_ends_at": datetime.now(UTC)}
        ).raise_for_status()
        page.wait_for_timeout(AWAY_MS)
        page.context.set_offline(False)
        order_id = context.order_placed_for(show)
        order = context.wait_for(order_id)
        wait_for_order(page, order_id, FINAL)
        # The page is still open, and exports its last spans during the wait.
        trace_id = order["_trace"]["traceparent"].split("-")[1]
        context.wait_for_span(trace_id, f"order {order['state']}")
    symptom = f"the sale had ended {AWAY_MS / 1000:.0f} s ago, and the order is {order['state']}"
    return Observation([trace_id], symptom if order["state"] == "ticketed" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find an order that was reserved although its slow write arrived after the sale's end."""
    for journey, row in invocations(journeys, "reserve"):
        over = attr(row, "boxoffice.sale.over_seconds") or 0
        taken = attr(row, "boxoffice.order.state") == "reserved"
        waited = [
            write["duration_ms"] / 1000
            for write in ancestors(journey, row)
            if write["service"] == "page" and write["kind"] == "PRODUCER"
        ]
        if taken and over > 0 and waited and waited[0] > LONG_SECONDS:
            return (
                f"the page's write took {waited[0]:.0f} s, and reserve took the order {over:.0f} s "
                "after the sale had ended"
            )
    return None


SCENARIO = Scenario(
    fault="dates-orders-back",
    report="The sale was over, and the last seat sold at the door. Then two people came for it.",
    reveals="A long write on the page, and a reserve that accepted the order after the sale's end.",
    fix="Use the time when Firestore stored the order, and tell the buyer that it was too late.",
    provoke=provoke,
    signature=signature,
)
