"""A list of ids, and then a call for each of them."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.latency import LatencyComparison
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, children, invocations

TICKETS = 80
ASKED = 6
MANY = 20


def provoke(context: ScenarioContext) -> Observation:
    """Have the price of a show quoted that nobody bought, and of one that many did."""
    quiet, popular = context.open_show(seats=500), context.open_show(seats=500)
    context.create_tickets(popular, TICKETS)
    context.quote(quiet)  # it may be a cold start
    # In turn, so that what else the machine does hits both.
    asked = [(context.quote(popular), context.quote(quiet)) for _ in range(ASKED)]
    pace = LatencyComparison(*zip(*asked, strict=True))
    symptom = (
        f"a price takes {pace.slow_ms:.0f} ms for a show that sells, {pace.fast_ms:.0f} ms for one "
        "that won't"
    )
    return Observation(pace.trace_ids, symptom if pace.is_slower else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """One invocation with dozens of reads of single documents."""
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
    reveals="Dozens of equal, short reads in a row under one call; each is fast, their sum is not.",
    fix="Read what is wanted once: the show knows how many seats it has left.",
    provoke=provoke,
    signature=signature,
)
