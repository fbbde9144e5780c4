"""A query that the emulator answers, and production refuses."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from observatory.schemas.journey import Journey
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, rows

REFUSED = grpc.StatusCode.FAILED_PRECONDITION.value[0]


def provoke(context: ScenarioContext) -> Observation:
    """Ask for the seats that are left, while Firestore wants its indexes as in production."""
    trace_id, status = context.availability_status(context.open_show())
    symptom = f"the question for the seats that are left is answered with {status}"
    return Observation([trace_id], symptom if status == 500 else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """A query that Firestore refused with FAILED_PRECONDITION."""
    for _, row in rows(journeys):
        query = attr(row, "db.query.text")
        if query and row["error"] and attr(row, "rpc.grpc.status_code") == REFUSED:
            return f"{row['service']} asked for “{query}”, and Firestore refused"
    return None


SCENARIO = Scenario(
    fault="asks-without-an-index",
    platform_conditions=("firestore-wants-indexes",),
    report="It worked on every laptop. Since it is deployed the seats that are left don't appear.",
    reveals="A query under the function that failed with FAILED_PRECONDITION, at once, each time.",
    fix="Make the index, and have ./scripts/indexes hold each query that ran against the indexes.",
    provoke=provoke,
    signature=signature,
)
