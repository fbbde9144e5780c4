"""``/api/traces/{trace_id}`` and ``/api/diff``: one trace, what is unusual about it, two beside
each other."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory.api.context import Context
from observatory.api.operations import REFUSED, TRACE_ID, TRACE_ID_PATTERN, Operation, Parameter
from observatory.api.responses import (
    NO_STORE,
    BadRequest,
    parameters,
    trace_id_in,
    trace_not_found,
)
from observatory.journey.difference import difference_of
from observatory.journey.reading import read_journey
from observatory.journey.usual_shape import unusual_shape
from observatory.schemas.comparison import Diff, UnusualShape
from observatory.schemas.journey import Journey
from observatory.store.promotions import promotions_of

CORRECT_SKEW = Parameter(
    "correct_skew", "Whether to set the clocks right that can't be", Literal["0", "1"], "0"
)
ERRORS = {400: REFUSED, 404: "None of the trace's spans is stored"}
OPERATIONS = (
    Operation(
        "GET",
        "/api/traces/{trace_id}",
        "One trace as a journey",
        Journey,
        (TRACE_ID, CORRECT_SKEW),
        errors=ERRORS,
    ),
    Operation(
        "GET",
        "/api/traces/{trace_id}/unusual",
        "What sets a trace apart from recent ones that began the same way",
        UnusualShape,
        (TRACE_ID,),
        errors=ERRORS,
    ),
    Operation(
        "GET",
        "/api/diff/{left}/{right}",
        "Two traces side by side, aligned by hop",
        Diff,
        (
            Parameter("left", "The id of one trace", pattern=TRACE_ID_PATTERN),
            Parameter("right", "The id of the other", pattern=TRACE_ID_PATTERN),
            CORRECT_SKEW,
        ),
        errors=ERRORS,
    ),
)


def routes(context: Context) -> list[Route]:
    """The routes of this module; their functions block, so Starlette runs them in threads."""

    def trace(request: Request) -> Response:
        """One trace as a journey."""
        trace_id = trace_id_in(request.path_params["trace_id"])
        correct_skew = _correct_skew(request)
        with context.store.reader() as reader:
            journey = read_journey(reader, trace_id, correct_skew=correct_skew)
        if journey is None:
            return trace_not_found(trace_id)
        return JSONResponse(journey, headers=NO_STORE)

    def unusual(request: Request) -> Response:
        """What is unusual about one trace."""
        trace_id = trace_id_in(request.path_params["trace_id"])
        parameters(request)
        with context.digests.reader() as reader:
            found = unusual_shape(reader, trace_id)
        if found is None:
            return trace_not_found(trace_id)
        return JSONResponse(found, headers=NO_STORE)

    def diff(request: Request) -> Response:
        """Two traces side by side."""
        ids = [trace_id_in(request.path_params[side]) for side in ("left", "right")]
        correct_skew = _correct_skew(request)
        journeys = []
        for trace_id in ids:
            with context.store.reader() as reader:
                journey = read_journey(reader, trace_id, correct_skew=correct_skew)
                promotions = promotions_of(reader)
            if journey is None:
                return trace_not_found(trace_id)
            journeys.append(journey)
        left, right = journeys
        return JSONResponse(difference_of(left, right, promotions), headers=NO_STORE)

    return [
        Route("/api/traces/{trace_id}", trace),
        Route("/api/traces/{trace_id}/unusual", unusual),
        Route("/api/diff/{left}/{right}", diff),
    ]


def _correct_skew(request: Request) -> bool:
    asked = parameters(request, CORRECT_SKEW.name).get(CORRECT_SKEW.name, "0")
    if asked not in ("0", "1"):
        raise BadRequest(f"correct_skew is {asked!r}: it is 0 or 1.")
    return asked == "1"
