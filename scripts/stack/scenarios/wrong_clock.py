"""A browser's clock is hours off, and a function trusts it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from observatory.schemas.journey import Journey
from stack.clients.box_office import FINAL
from stack.scenario_runner.browser_actions import SLOW_BANK, buy, open_page, wait_for_order
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, invocations

CLOCK_OFFSET = timedelta(hours=-3)
FAR_OFF_MS = 60_000


def provoke(context: ScenarioContext) -> Observation:
    """Pay from a device whose clock is three hours behind, with a card whose bank takes seconds."""
    show = context.open_show()
    with open_page(context.page_address(), CLOCK_OFFSET) as page:
        context.flags.wait_until_effective()
        buy(page, show, SLOW_BANK)
        order_id = context.order_placed_for(show)
        order = context.wait_for(order_id)
        trace_id = order["_trace"]["traceparent"].split("-")[1]
        wait_for_order(page, order_id, FINAL)
        # The page is still open, and exports its last spans during the wait.
        context.wait_for_span(trace_id, f"order {order['state']}")
    # A charge that is pending when the hold ends is refunded.
    context.wait_for_invocation(trace_id, "charge")
    if context.settled_charges(order_id):
        context.wait_for_invocation(trace_id, "settle")
    symptom = f"the order is {order['state']} though its buyer paid at once"
    return Observation([trace_id], symptom if order["state"] == "expired" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a page with a large clock skew, and a hold that ended before it began."""
    for journey, row in invocations(journeys, "reserve"):
        lasts = attr(row, "boxoffice.hold.lasts_seconds") or 0
        skews = journey["skew"]["services"] if journey["skew"] else []
        off = [one["offset_ms"] for one in skews if one["service"] == "page"]
        if lasts < 0 and off and abs(off[0]) > FAR_OFF_MS:
            return (
                f"the page's clock is {off[0] / 3_600_000:+.1f} h off, and the hold ended "
                f"{-lasts / 3600:.1f} h before it began"
            )
    return None


SCENARIO = Scenario(
    fault="holds-by-the-pages-clock",
    report="Each order of mine says that its hold ran out, at once. On my phone it works.",
    reveals="The page's spans are hours away from all others, and expire runs right after reserve.",
    fix="Use the server's clock; record the device's time only for information.",
    provoke=provoke,
    signature=signature,
)
