"""``/api/map``: the hops as a graph."""

from typing import Annotated

from fastapi import Query
from starlette.responses import JSONResponse, Response

from observatory.api.parameters import SelectionQuery
from observatory.api.responses import NO_STORE
from observatory.api.routing import REFUSED, Reading, new_router, refusals
from observatory.compare.hop_map import hop_map
from observatory.schemas.map import Map

router = new_router()


@router.get(
    "/api/map",
    response_model=Map,
    summary="The hops between services",
    responses=refusals({400: REFUSED}),
)
def graph(context: Reading, query: Annotated[SelectionQuery, Query()]) -> Response:
    selection = query.selection()
    with context.digests.reader() as reader:
        answer = hop_map(reader, selection)
    return JSONResponse(answer, headers=NO_STORE)
