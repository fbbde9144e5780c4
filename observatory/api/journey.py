"""``/api/traces/{trace_id}`` and ``/api/diff``: one trace, its unusual steps, and two compared."""

from typing import Annotated, Literal

import duckdb
from fastapi import Path, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from observatory.api import parameters
from observatory.api.context import Context
from observatory.api.parameters import NoQuery, TraceId, TraceIdInPath
from observatory.api.responses import NO_STORE, trace_not_found
from observatory.api.routing import INVALID_PARAMETER, Reading, error_responses, new_router
from observatory.journey.difference import difference_of
from observatory.journey.reading import read_journey
from observatory.journey.unusual_steps import unusual_steps
from observatory.schemas.comparison import Diff, UnusualSteps
from observatory.schemas.journey import Journey
from observatory.store.promotions import promotions_of

ERRORS = error_responses(
    {400: INVALID_PARAMETER, 404: "`trace_not_found`: the trace has no stored spans"}
)

router = new_router()


class JourneyQuery(parameters.Query):
    """How to show a trace."""

    correct_skew: Literal["0", "1"] = Field(
        "0", description="1 corrects the times of services whose clocks disagree"
    )


def _read(
    context: Context, reader: duckdb.DuckDBPyConnection, trace_id: str, query: JourneyQuery
) -> Journey | None:
    return read_journey(
        reader,
        trace_id,
        correct_skew=query.correct_skew == "1",
        conventions=context.conventions,
        grace_seconds=context.digests.grace_seconds,
    )


@router.get(
    "/api/traces/{trace_id}",
    response_model=Journey,
    summary="Get a trace as a journey",
    responses=ERRORS,
)
def trace(
    context: Reading, trace_id: TraceIdInPath, query: Annotated[JourneyQuery, Query()]
) -> Response:
    with context.store.reader() as reader:
        journey = _read(context, reader, trace_id, query)
    if journey is None:
        return trace_not_found(trace_id)
    return JSONResponse(journey, headers=NO_STORE)


@router.get(
    "/api/traces/{trace_id}/unusual",
    response_model=UnusualSteps,
    summary="Compare a trace's steps with those of recent traces with the same root",
    responses=ERRORS,
)
def unusual(
    context: Reading,
    trace_id: TraceIdInPath,
    query: Annotated[NoQuery, Query()],  # noqa: ARG001
) -> Response:
    with context.digests.reader() as reader:
        steps = unusual_steps(reader, trace_id, context.conventions)
    if steps is None:
        return trace_not_found(trace_id)
    return JSONResponse(steps, headers=NO_STORE)


@router.get(
    "/api/diff/{left}/{right}",
    response_model=Diff,
    summary="Compare two traces step by step",
    responses=ERRORS,
)
def diff(
    context: Reading,
    left: Annotated[TraceId, Path(description="The id of the left trace")],
    right: Annotated[TraceId, Path(description="The id of the right trace")],
    query: Annotated[JourneyQuery, Query()],
) -> Response:
    journeys = []
    for trace_id in (left, right):
        with context.store.reader() as reader:
            journey = _read(context, reader, trace_id, query)
            promotions = promotions_of(reader)
        if journey is None:
            return trace_not_found(trace_id)
        journeys.append(journey)
    left_journey, right_journey = journeys
    return JSONResponse(difference_of(left_journey, right_journey, promotions), headers=NO_STORE)
