"""A browser whose clock is hours off, and somebody who believes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from observatory.schemas.journey import Journey
from stack.clients.box_office import FINAL
from stack.scenario_runner.browser_actions import SLOW_BANK, buy, open_page, wait_for_order
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, invocations

OFF = timedelta(hours=-3)
FAR_OFF_MS = 60_000


def provoke(context: ScenarioContext) -> Observation:
    """Pay from a device whose clock is three hours behind, with a card whose bank takes seconds."""
    show = context.open_show()
    with open_page(context.page_address(), OFF) as page:
        context.flags.wait_until_effective()
        buy(page, show, SLOW_BANK)
        order_id = context.order_placed_for(show)
        order = context.wait_for(order_id)
        trace_id = order["_trace"]["traceparent"].split("-")[1]
        wait_for_order(page, order_id, FINAL)
        # The page is still open: it delivers its last spans while we wait for them.
        context.wait_for_span(trace_id, f"order {order['state']}")
    # Money that is on its way when the hold ends comes back.
    context.wait_for_invocation(trace_id, "charge")
    if context.settled_charges(order_id):
        context.wait_for_invocation(trace_id, "settle")
    symptom = f"the order is {order['state']} though its buyer paid at once"
    return Observation([trace_id], symptom if order["state"] == "expired" else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """A page whose clock can't be right, and a hold that was over when it began."""
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
    reveals="The page's spans lie hours from all others, and expire comes right after reserve.",
    fix="Count from the server's clock; what a device says is there to be looked at.",
    provoke=provoke,
    signature=signature,
)
