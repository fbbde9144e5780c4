"""``/api/metrics``: which metrics there are, and their values over time."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory.api.context import Context
from observatory.api.operations import Operation, Parameter, amount
from observatory.api.responses import NO_STORE, BadRequest, parameters
from observatory.api.selection import selection_in
from observatory.schemas.signals import MetricList, MetricSeries
from observatory.signals.metrics import list_metrics, series_of

PARAMETERS = (
    Parameter("name", "The metric's name", required=True, pattern=".+"),
    Parameter("service", "The service that measures it", required=True, pattern=".+"),
    amount("from", "Points at or after this, in Unix milliseconds"),
    amount("to", "Points before this, in Unix milliseconds"),
    amount("last", "Points of the last so many seconds, instead of from and to"),
)
OPERATIONS = (
    Operation("GET", "/api/metrics", "Every metric that was received", MetricList, errors={}),
    Operation(
        "GET", "/api/metrics/series", "The values of one metric over time", MetricSeries, PARAMETERS
    ),
)


def routes(context: Context) -> list[Route]:
    """The routes of this module; their functions block, so Starlette runs them in threads."""

    def metrics(request: Request) -> Response:
        """Every metric."""
        parameters(request)
        with context.store.reader() as reader:
            return JSONResponse({"metrics": list_metrics(reader)}, headers=NO_STORE)

    def series(request: Request) -> Response:
        """The values of one metric."""
        query = parameters(request, *(known.name for known in PARAMETERS))
        for name in ("name", "service"):
            if not query.get(name):
                raise BadRequest(f"{name} is missing: /api/metrics says which there are.")
        time = selection_in({name: query[name] for name in query if name in ("from", "to", "last")})
        with context.store.reader() as reader:
            found = series_of(reader, (query["name"], query["service"]), time.from_ms, time.to_ms)
        return JSONResponse(found, headers=NO_STORE)

    return [
        Route("/api/metrics", metrics),
        Route("/api/metrics/series", series),
    ]
