"""Orders that have nothing in common wait for each other, because all write one document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from observatory.schemas.journey import Journey
from stack.errors import UserError
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import PlacedOrder, ScenarioContext
from stack.scenario_runner.span_queries import (
    attr,
    children,
    ended_ms,
    invocations,
    rows,
    unix_seconds,
)

# As many as the platform condition has meet, each for a show of its own.
ORDERS = 3
MEETING = "commit is under way"
# Firestore's emulator waits for a lock for two seconds before it aborts somebody. Without a lock
# between them all three commits are over in a tenth of a second.
WAITED_SECONDS = 1.5


def provoke(context: ScenarioContext) -> Observation:
    """Have several orders placed at the same moment, each for a show of its own."""
    shows = [context.open_show() for _ in range(ORDERS)]
    placed = context.place_at_once(shows)
    waited = [took for order in placed if (took := waited_seconds(context, order)) > WAITED_SECONDS]
    symptom = (
        f"{len(waited)} of {ORDERS} orders, each for another show, were paid for, and their "
        f"tickets took up to {max(waited, default=0):.1f} s to print"
    )
    return Observation([order.trace_id for order in placed], symptom if len(waited) > 1 else None)


def waited_seconds(context: ScenarioContext, placed: PlacedOrder) -> float:
    """How long an order had no ticket when all were there to print them; what the instances took to
    start is another story.

    Raises:
        UserError: it has none at all.
    """
    order = context.wait_for(placed.order_id)
    if order["state"] != "ticketed":
        raise UserError(f"Order {placed.order_id} is {order['state']}, and has no ticket.")
    context.wait_for_invocation(placed.trace_id, "issue")
    met = min(
        unix_seconds(journey, ended_ms(row))
        for journey, row in rows(context.complete_traces([placed.trace_id]), "issue", MEETING)
    )
    return datetime.fromisoformat(order["moved_at"]["ticketed"]).timestamp() - met


def signature(journeys: Sequence[Journey]) -> str | None:
    """Transactions that Firestore aborted and that were begun anew, for orders of several shows."""
    aborted: dict[str, int] = {}
    for journey, row in invocations(journeys):
        commits = [
            child
            for child in children(journey, row)
            if attr(child, "db.operation.name") == "Commit" and child["error"]
        ]
        if commits and (attr(row, "boxoffice.transaction.attempts") or 1) > len(commits):
            aborted[attr(row, "boxoffice.show.id")] = len(commits)
    if len(aborted) > 1:
        return f"{sum(aborted.values())} aborted commits of orders for {len(aborted)} shows"
    return None


SCENARIO = Scenario(
    fault="counts-in-one-document",
    platform_conditions=("firestore-is-far",),
    report="When many buy at once tickets come late, even for a show that nobody else wants.",
    reveals="Commits of issue that were aborted after seconds, for orders of shows of all sorts.",
    fix="Count in several documents, added to without being read, and add them up to read them.",
    provoke=provoke,
    signature=signature,
)
