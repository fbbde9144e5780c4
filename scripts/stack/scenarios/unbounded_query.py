"""A query without a limit, whose result grows with the number of tickets sold."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.latency import LatencyComparison
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, invocations

TICKETS = 800
BATCH = 400
REQUESTS = 5
MANY = 500


def provoke(context: ScenarioContext) -> Observation:
    """Request the seats left of one show, before and after other shows have sold many tickets."""
    mine = context.open_show(seats=500)
    context.time_availability(mine)  # it may be a cold start
    usual = [context.time_availability(mine) for _ in range(REQUESTS)]
    others = [context.open_show(seats=500) for _ in range(TICKETS // BATCH)]
    for show in others:
        context.create_tickets(show, BATCH)
    slow = [context.time_availability(mine) for _ in range(REQUESTS)]
    # Before and after, so that other load on the machine affects both.
    for show in others:
        context.delete_tickets(show)
    usual += [context.time_availability(mine) for _ in range(REQUESTS)]
    latencies = LatencyComparison(slow, usual)
    symptom = (
        f"the same request takes {latencies.slow_ms:.0f} ms, and took {latencies.fast_ms:.0f} ms "
        "with few tickets sold"
    )
    return Observation(latencies.trace_ids, symptom if latencies.is_slower else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find an invocation whose query returned hundreds of documents."""
    row_counts = [
        (attr(row, "db.response.returned_rows"), row["service"])
        for _, row in invocations(journeys)
        if attr(row, "db.response.returned_rows") is not None
    ]
    if row_counts and max(row_counts)[0] >= MANY:
        return f"{max(row_counts)[1]} read {max(row_counts)[0]} documents for one answer"
    return None


SCENARIO = Scenario(
    fault="reads-everything",
    report="The page gets slower every week. Nobody changed anything.",
    reveals="One query that returns hundreds of rows for a one-line answer, more each time.",
    fix="Query only what the answer needs, with a limit: here, one document.",
    provoke=provoke,
    signature=signature,
)
