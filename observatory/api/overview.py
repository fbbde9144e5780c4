"""``/api/heatmap``, ``/api/compare``, ``/api/keys`` and ``/api/values``: many traces at once."""

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from observatory.api import parameters
from observatory.api.parameters import Amount, SelectionQuery, WholeNumber, optional
from observatory.api.responses import NO_STORE, BadRequest
from observatory.api.routing import REFUSED, Reading, new_router, refusals
from observatory.compare.contrast import Inside, contrast
from observatory.compare.heatmap import heatmap
from observatory.compare.keys import keys, values
from observatory.compare.parsing import parse
from observatory.schemas.overview import Contrast, Heatmap, Keys, Values

COLUMNS, COLUMNS_MAX = 60, 400
ROWS, ROWS_MAX = 24, 100

router = new_router()


class HeatmapQuery(SelectionQuery):
    """Which traces, in how many cells."""

    columns: WholeNumber = Field(COLUMNS, ge=1, le=COLUMNS_MAX, description="How many columns")
    rows: WholeNumber = Field(ROWS, ge=1, le=ROWS_MAX, description="How many rows")


class CompareQuery(SelectionQuery):
    """Which traces, and which of them to set against the rest."""

    in_: str = Field(
        default="",
        alias="in",
        description="A filter: the traces to set against the rest of those selected",
    )
    in_from: Amount = optional(
        description="Of those, the ones that began at or after this, Unix ms"
    )
    in_to: Amount = optional(description="Of those, the ones that began before this, Unix ms")
    in_least_ms: Amount = optional(description="Of those, the ones that took at least so many ms")
    in_most_ms: Amount = optional(description="Of those, the ones that took less than so many ms")


class KeysQuery(parameters.Query):
    """Which keys."""

    prefix: str = Field(default="", description="How it begins, or what it contains")


class ValuesQuery(KeysQuery):
    """Which values of which key."""

    key: str = Field(pattern=".+", description="The key, as /api/keys lists it")


@router.get(
    "/api/heatmap",
    response_model=Heatmap,
    summary="Traces by when they began and how long they took",
    responses=refusals({400: REFUSED}),
)
def heat(context: Reading, query: Annotated[HeatmapQuery, Query()]) -> Response:
    revision = context.revision
    selection = query.selection()
    with context.digests.reader() as reader:
        answer = heatmap(reader, selection, query.columns, query.rows, revision)
    return JSONResponse(answer, headers=NO_STORE)


@router.get(
    "/api/compare",
    response_model=Contrast,
    summary="What sets some of the selected traces apart from the rest",
    responses=refusals({400: REFUSED}),
)
def compare(context: Reading, query: Annotated[CompareQuery, Query()]) -> Response:
    selection = query.selection()
    inside = Inside(
        parse(query.in_), query.in_from, query.in_to, query.in_least_ms, query.in_most_ms
    )
    if inside == Inside():
        raise BadRequest(
            "Name what to compare: in, or some of in_from, in_to, in_least_ms, in_most_ms."
        )
    with context.digests.reader() as reader:
        answer = contrast(reader, selection, inside)
    return JSONResponse(answer, headers=NO_STORE)


@router.get(
    "/api/keys",
    response_model=Keys,
    summary="What filters may name",
    responses=refusals({400: REFUSED}),
)
def known_keys(context: Reading, query: Annotated[KeysQuery, Query()]) -> Response:
    with context.digests.reader() as reader:
        answer = keys(reader, query.prefix)
    return JSONResponse(answer, headers=NO_STORE)


@router.get(
    "/api/values",
    response_model=Values,
    summary="The values of one key",
    responses=refusals({400: REFUSED}),
)
def known_values(context: Reading, query: Annotated[ValuesQuery, Query()]) -> Response:
    with context.digests.reader() as reader:
        answer = values(reader, query.key, query.prefix)
    return JSONResponse(answer, headers=NO_STORE)
