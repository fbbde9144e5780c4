"""A list of ids, and a separate read for each of them."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.latency import LatencyComparison
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, children, invocations

TICKETS = 80
REQUESTS = 6
MANY = 20


def provoke(context: ScenarioContext) -> Observation:
    """Request the price of a show without tickets, and of one with many."""
    quiet, popular = context.open_show(seats=500), context.open_show(seats=500)
    context.create_tickets(popular, TICKETS)
    context.quote(quiet)  # it may be a cold start
    # In turn, so that other load on the machine affects both.
    requests = [(context.quote(popular), context.quote(quiet)) for _ in range(REQUESTS)]
    latencies = LatencyComparison(*zip(*requests, strict=True))
    symptom = (
        f"a price takes {latencies.slow_ms:.0f} ms for a show with many tickets sold, "
        f"{latencies.fast_ms:.0f} ms for one with none"
    )
    return Observation(latencies.trace_ids, symptom if latencies.is_slower else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find an invocation with dozens of reads of single documents."""
    for journey, row in invocations(journeys):
        reads = [
            child
            for child in children(journey, row)
            if attr(child, "db.operation.name") == "BatchGetDocuments"
        ]
        if len(reads) >= MANY:
            took = sum(read["duration_ms"] for read in reads)
            return f"{row['service']} made {len(reads)} reads one after the other: {took:.0f} ms"
    return None


SCENARIO = Scenario(
    fault="reads-one-by-one",
    report="The price takes ages to appear, but only for the shows that everybody wants.",
    reveals="Dozens of short reads in sequence under one call; each is fast, the sum is not.",
    fix="Read the number from the show's document, which has the seats left.",
    provoke=provoke,
    signature=signature,
)
