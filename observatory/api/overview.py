"""``/api/heatmap`` and ``/api/compare``; ``/api/keys`` and ``/api/values`` for writing filters."""

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from observatory.api import parameters
from observatory.api.parameters import Amount, SelectionQuery, WholeNumber, optional
from observatory.api.responses import NO_STORE, BadRequest
from observatory.api.routing import INVALID_PARAMETER, Reading, error_responses, new_router
from observatory.compare.contrast import Subset, contrast
from observatory.compare.heatmap import heatmap
from observatory.compare.keys import keys, values
from observatory.compare.parsing import parse
from observatory.schemas.overview import Contrast, Heatmap, Keys, Values

COLUMNS, COLUMNS_MAX = 60, 400
ROWS, ROWS_MAX = 24, 100

router = new_router()


class HeatmapQuery(SelectionQuery):
    """The traces to count, and the size of the grid."""

    columns: WholeNumber = Field(COLUMNS, ge=1, le=COLUMNS_MAX, description="The number of columns")
    rows: WholeNumber = Field(ROWS, ge=1, le=ROWS_MAX, description="The number of rows")


class CompareQuery(SelectionQuery):
    """The traces to read, and the subset of them to compare with the rest."""

    in_: str = Field(
        default="",
        alias="in",
        description="A filter for the subset of traces to compare with the rest",
    )
    in_from: Amount = optional(
        description="The subset's traces began at or after this, in Unix milliseconds"
    )
    in_to: Amount = optional(
        description="The subset's traces began before this, in Unix milliseconds"
    )
    in_least_ms: Amount = optional(
        description="The subset's traces took at least this, in milliseconds"
    )
    in_most_ms: Amount = optional(
        description="The subset's traces took less than this, in milliseconds"
    )


class KeysQuery(parameters.Query):
    """The keys to suggest."""

    prefix: str = Field(
        default="",
        description="Text that each result must contain; those that begin with it come first",
    )


class ValuesQuery(KeysQuery):
    """The key, and the values of it to suggest."""

    key: str = Field(pattern=".+", description="The key, as /api/keys lists it")


@router.get(
    "/api/heatmap",
    response_model=Heatmap,
    summary="Get a histogram of traces by start time and duration",
    responses=error_responses({400: INVALID_PARAMETER}),
)
def get_heatmap(context: Reading, query: Annotated[HeatmapQuery, Query()]) -> Response:
    revision = context.revision
    selection = query.selection()
    with context.digests.reader() as reader:
        body = heatmap(reader, selection, query.columns, query.rows, revision)
    return JSONResponse(body, headers=NO_STORE)


@router.get(
    "/api/compare",
    response_model=Contrast,
    summary="Compare the attributes of a subset of the traces with those of the rest",
    responses=error_responses({400: INVALID_PARAMETER}),
)
def compare(context: Reading, query: Annotated[CompareQuery, Query()]) -> Response:
    selection = query.selection()
    subset = Subset(
        parse(query.in_), query.in_from, query.in_to, query.in_least_ms, query.in_most_ms
    )
    if subset == Subset():
        raise BadRequest(
            "The subset to compare is missing: give in, in_from, in_to, in_least_ms or in_most_ms."
        )
    with context.digests.reader() as reader:
        body = contrast(reader, selection, subset)
    return JSONResponse(body, headers=NO_STORE)


@router.get(
    "/api/keys",
    response_model=Keys,
    summary="List the keys that filters can use",
    responses=error_responses({400: INVALID_PARAMETER}),
)
def list_keys(context: Reading, query: Annotated[KeysQuery, Query()]) -> Response:
    with context.digests.reader() as reader:
        body = keys(reader, query.prefix)
    return JSONResponse(body, headers=NO_STORE)


@router.get(
    "/api/values",
    response_model=Values,
    summary="List the values of a key",
    responses=error_responses({400: INVALID_PARAMETER}),
)
def list_values(context: Reading, query: Annotated[ValuesQuery, Query()]) -> Response:
    with context.digests.reader() as reader:
        body = values(reader, query.key, query.prefix)
    return JSONResponse(body, headers=NO_STORE)
