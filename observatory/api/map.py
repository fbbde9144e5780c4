"""``/api/map``: the hops as a graph."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory.api.context import Context
from observatory.api.operations import SELECTION, Operation
from observatory.api.responses import NO_STORE, parameters
from observatory.api.selection import NAMES, selection_in
from observatory.compare.hop_map import hop_map
from observatory.schemas.map import Map

OPERATIONS = (Operation("GET", "/api/map", "The hops between services", Map, SELECTION),)


def routes(context: Context) -> list[Route]:
    """The routes of this module; their functions block, so Starlette runs them in threads."""

    def graph(request: Request) -> Response:
        """The hops between services, as the selected traces have them."""
        selection = selection_in(parameters(request, *NAMES))
        with context.digests.reader() as reader:
            found = hop_map(reader, selection)
        return JSONResponse(found, headers=NO_STORE)

    return [Route("/api/map", graph)]
