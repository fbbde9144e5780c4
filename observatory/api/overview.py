"""``/api/heatmap``, ``/api/compare``, ``/api/keys`` and ``/api/values``: many traces at once."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory.api.context import Context
from observatory.api.operations import SELECTION, Operation, Parameter, amount
from observatory.api.responses import NO_STORE, BadRequest, parameters, whole_number
from observatory.api.selection import number, selection_in
from observatory.compare.contrast import Inside, contrast
from observatory.compare.heatmap import heatmap
from observatory.compare.keys import keys, values
from observatory.compare.parsing import parse
from observatory.schemas.overview import Contrast, Heatmap, Keys, Values

COLUMNS, COLUMNS_MAX = 60, 400
ROWS, ROWS_MAX = 24, 100
BOX = ("in_from", "in_to", "in_least_ms", "in_most_ms")
HEATMAP_PARAMETERS = (
    *SELECTION,
    Parameter("columns", "How many columns", int, COLUMNS, 1, COLUMNS_MAX),
    Parameter("rows", "How many rows", int, ROWS, 1, ROWS_MAX),
)
COMPARE_PARAMETERS = (
    *SELECTION,
    Parameter("in", "A filter: the traces to set against the rest of those selected"),
    amount("in_from", "Of those, the ones that began at or after this, Unix ms"),
    amount("in_to", "Of those, the ones that began before this, Unix ms"),
    amount("in_least_ms", "Of those, the ones that took at least so many ms"),
    amount("in_most_ms", "Of those, the ones that took less than so many ms"),
)
PREFIX = Parameter("prefix", "How it begins, or what it contains")
VALUES_PARAMETERS = (Parameter("key", "The key", required=True, pattern=".+"), PREFIX)
OPERATIONS = (
    Operation(
        "GET",
        "/api/heatmap",
        "Traces by when they began and how long they took",
        Heatmap,
        HEATMAP_PARAMETERS,
    ),
    Operation(
        "GET",
        "/api/compare",
        "What sets some of the selected traces apart from the rest",
        Contrast,
        COMPARE_PARAMETERS,
    ),
    Operation("GET", "/api/keys", "What filters may name", Keys, (PREFIX,)),
    Operation("GET", "/api/values", "The values of one key", Values, VALUES_PARAMETERS),
)


def routes(context: Context) -> list[Route]:
    """The routes of this module; their functions block, so Starlette runs them in threads."""

    def heat(request: Request) -> Response:
        """Traces by when they began and how long they took."""
        revision = context.revision
        query = parameters(request, *(known.name for known in HEATMAP_PARAMETERS))
        columns = whole_number("columns", query.get("columns", str(COLUMNS)), 1, COLUMNS_MAX)
        rows = whole_number("rows", query.get("rows", str(ROWS)), 1, ROWS_MAX)
        selection = selection_in(query)
        with context.digests.reader() as reader:
            found = heatmap(reader, selection, columns, rows, revision)
        return JSONResponse(found, headers=NO_STORE)

    def compare(request: Request) -> Response:
        """What sets some of the selected traces apart from the rest."""
        query = parameters(request, *(known.name for known in COMPARE_PARAMETERS))
        selection = selection_in(query)
        box = {name: number(name, query[name]) for name in BOX if query.get(name)}
        inside = Inside(parse(query.get("in", "")), *(box.get(name) for name in BOX))
        if inside == Inside():
            raise BadRequest(f"Name what to compare: in, or some of {', '.join(BOX)}.")
        with context.digests.reader() as reader:
            found = contrast(reader, selection, inside)
        return JSONResponse(found, headers=NO_STORE)

    def known_keys(request: Request) -> Response:
        """What filters may name."""
        query = parameters(request, PREFIX.name)
        with context.digests.reader() as reader:
            found = keys(reader, query.get("prefix", ""))
        return JSONResponse(found, headers=NO_STORE)

    def known_values(request: Request) -> Response:
        """The values of one key."""
        query = parameters(request, *(known.name for known in VALUES_PARAMETERS))
        if not query.get("key"):
            raise BadRequest("Name the key.")
        with context.digests.reader() as reader:
            found = values(reader, query["key"], query.get("prefix", ""))
        return JSONResponse(found, headers=NO_STORE)

    return [
        Route("/api/heatmap", heat),
        Route("/api/compare", compare),
        Route("/api/keys", known_keys),
        Route("/api/values", known_values),
    ]
