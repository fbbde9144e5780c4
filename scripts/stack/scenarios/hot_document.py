"""Unrelated orders wait for each other, because all of them write the same document."""

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

# As many as firestore-is-far makes wait for each other, each for its own show.
ORDERS = 3
COMMIT_WAIT = "commit is under way"
# Firestore's emulator waits two seconds for a lock before it aborts a transaction. Without
# contention the three commits take a tenth of a second.
WAITED_SECONDS = 1.5


def provoke(context: ScenarioContext) -> Observation:
    """Place several orders concurrently, each for its own show."""
    shows = [context.open_show() for _ in range(ORDERS)]
    placed = context.place_at_once(shows)
    waited = [took for order in placed if (took := waited_seconds(context, order)) > WAITED_SECONDS]
    symptom = (
        f"{len(waited)} of {ORDERS} orders, each for another show, were paid for, and their "
        f"tickets took up to {max(waited, default=0):.1f} s to print"
    )
    return Observation([order.trace_id for order in placed], symptom if len(waited) > 1 else None)


def waited_seconds(context: ScenarioContext, placed: PlacedOrder) -> float:
    """Return how long an order's ticket took after all transactions were ready to commit.

    The start of the instances, before that, does not count.

    Raises:
        UserError: the order has no ticket.
    """
    order = context.wait_for(placed.order_id)
    if order["state"] != "ticketed":
        raise UserError(
            f"Order {placed.order_id} is {order['state']}, and has no ticket.",
            hint=f"See why with ./scripts/trace show {placed.trace_id}.",
        )
    context.wait_for_invocation(placed.trace_id, "issue")
    ready_at = min(
        unix_seconds(journey, ended_ms(row))
        for journey, row in rows(context.complete_traces([placed.trace_id]), "issue", COMMIT_WAIT)
    )
    return datetime.fromisoformat(order["moved_at"]["ticketed"]).timestamp() - ready_at


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find transactions that Firestore aborted and the client retried, for several shows."""
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
    reveals="Commits of issue that were aborted after seconds, for orders of different shows.",
    fix="Count in several documents with increments that need no read, and sum them up on reading.",
    provoke=provoke,
    signature=signature,
)
