"""``/api/traces/{trace_id}`` and ``/api/diff``: one trace, what is unusual about it, two beside
each other."""

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from observatory.api import parameters
from observatory.api.parameters import NoQuery, TraceId, TraceIdInPath
from observatory.api.responses import NO_STORE, trace_not_found
from observatory.api.routing import REFUSED, Reading, new_router, refusals
from observatory.journey.difference import difference_of
from observatory.journey.reading import read_journey
from observatory.journey.usual_shape import unusual_shape
from observatory.schemas.comparison import Diff, UnusualShape
from observatory.schemas.journey import Journey
from observatory.store.promotions import promotions_of

REFUSALS = refusals({400: REFUSED, 404: "None of the trace's spans is stored"})

router = new_router()


class JourneyQuery(parameters.Query):
    """How to show a trace."""

    correct_skew: Literal["0", "1"] = Field(
        "0", description="Whether to set the clocks right that can't be"
    )


@router.get(
    "/api/traces/{trace_id}",
    response_model=Journey,
    summary="One trace as a journey",
    responses=REFUSALS,
)
def trace(
    context: Reading, trace_id: TraceIdInPath, query: Annotated[JourneyQuery, Query()]
) -> Response:
    with context.store.reader() as reader:
        journey = read_journey(reader, trace_id, correct_skew=query.correct_skew == "1")
    if journey is None:
        return trace_not_found(trace_id)
    return JSONResponse(journey, headers=NO_STORE)


@router.get(
    "/api/traces/{trace_id}/unusual",
    response_model=UnusualShape,
    summary="What sets a trace apart from recent ones that began the same way",
    responses=REFUSALS,
)
def unusual(
    context: Reading,
    trace_id: TraceIdInPath,
    query: Annotated[NoQuery, Query()],  # noqa: ARG001
) -> Response:
    with context.digests.reader() as reader:
        answer = unusual_shape(reader, trace_id)
    if answer is None:
        return trace_not_found(trace_id)
    return JSONResponse(answer, headers=NO_STORE)


@router.get(
    "/api/diff/{left}/{right}",
    response_model=Diff,
    summary="Two traces side by side, aligned by hop",
    responses=REFUSALS,
)
def diff(
    context: Reading,
    left: Annotated[TraceId, Path(description="The id of one trace")],
    right: Annotated[TraceId, Path(description="The id of the other")],
    query: Annotated[JourneyQuery, Query()],
) -> Response:
    journeys = []
    for trace_id in (left, right):
        with context.store.reader() as reader:
            journey = read_journey(reader, trace_id, correct_skew=query.correct_skew == "1")
            promotions = promotions_of(reader)
        if journey is None:
            return trace_not_found(trace_id)
        journeys.append(journey)
    one, other = journeys
    return JSONResponse(difference_of(one, other, promotions), headers=NO_STORE)
