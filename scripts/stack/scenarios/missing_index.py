"""A query that the emulator answers and production rejects."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, rows

REFUSED = grpc.StatusCode.FAILED_PRECONDITION.value[0]


def provoke(context: ScenarioContext) -> Observation:
    """Request the seats left while Firestore requires indexes as in production."""
    trace_id, status = context.availability_status(context.open_show())
    symptom = f"the request for the seats left fails with status {status}"
    return Observation([trace_id], symptom if status == 500 else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a query that Firestore rejected with FAILED_PRECONDITION."""
    for _, row in rows(journeys):
        query = attr(row, "db.query.text")
        if query and row["error"] and attr(row, "rpc.grpc.status_code") == REFUSED:
            return f"{row['service']} ran “{query}”, and Firestore rejected it"
    return None


SCENARIO = Scenario(
    fault="asks-without-an-index",
    platform_conditions=("firestore-wants-indexes",),
    report="It worked on every laptop. Since it is deployed the seats that are left don't appear.",
    reveals="A query of the function that fails with FAILED_PRECONDITION, at once, each time.",
    fix="Add the index, and check the queries that ran with ./scripts/indexes.",
    provoke=provoke,
    signature=signature,
)
