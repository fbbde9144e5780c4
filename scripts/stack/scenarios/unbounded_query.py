"""A query without a limit, that grows with the shop."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.latency import LatencyComparison
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, invocations

TICKETS = 800
BATCH = 400
ASKED = 5
MANY = 500


def provoke(context: ScenarioContext) -> Observation:
    """Ask for the seats of one show, before and after others have sold a lot."""
    mine = context.open_show(seats=500)
    context.time_availability(mine)  # it may be a cold start
    usual = [context.time_availability(mine) for _ in range(ASKED)]
    others = [context.open_show(seats=500) for _ in range(TICKETS // BATCH)]
    for show in others:
        context.create_tickets(show, BATCH)
    slow = [context.time_availability(mine) for _ in range(ASKED)]
    # Before and after, so that what else the machine does hits both.
    for show in others:
        context.delete_tickets(show)
    usual += [context.time_availability(mine) for _ in range(ASKED)]
    pace = LatencyComparison(slow, usual)
    symptom = (
        f"the same question takes {pace.slow_ms:.0f} ms, and took {pace.fast_ms:.0f} ms while the "
        "shop was small"
    )
    return Observation(pace.trace_ids, symptom if pace.is_slower else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """The same call reads ever more documents, far more than it can be about."""
    read = [
        (attr(row, "db.response.returned_rows"), row["service"])
        for _, row in invocations(journeys)
        if attr(row, "db.response.returned_rows") is not None
    ]
    if read and max(read)[0] >= MANY:
        return f"{max(read)[1]} read {max(read)[0]} documents for one answer"
    return None


SCENARIO = Scenario(
    fault="reads-everything",
    report="The page gets slower every week. Nobody changed anything.",
    reveals="One query that returns hundreds of rows for a one-line answer, more each time.",
    fix="Ask for what the answer needs, and with a limit: here, one document.",
    provoke=provoke,
    signature=signature,
)
