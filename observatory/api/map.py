"""``/api/map``: a graph of services and the hops between them."""

from typing import Annotated

from fastapi import Query
from starlette.responses import JSONResponse, Response

from observatory.api.parameters import SelectionQuery
from observatory.api.responses import NO_STORE
from observatory.api.routing import INVALID_PARAMETER, Reading, error_responses, new_router
from observatory.compare.hop_map import hop_map
from observatory.schemas.map import Map

router = new_router()


@router.get(
    "/api/map",
    response_model=Map,
    summary="Get the graph of services and hops",
    responses=error_responses({400: INVALID_PARAMETER}),
)
def get_map(context: Reading, query: Annotated[SelectionQuery, Query()]) -> Response:
    selection = query.selection()
    with context.digests.reader() as reader:
        body = hop_map(reader, selection)
    return JSONResponse(body, headers=NO_STORE)
