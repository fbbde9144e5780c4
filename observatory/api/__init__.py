"""The JSON API under ``/api``: everything that the explorer and the scripts know, they ask here.

One module a view, each with a function ``routes``, and a tuple ``OPERATIONS`` that describes them.
"""

from typing import Any

from starlette.requests import ClientDisconnect
from starlette.routing import Route

from observatory.api import (
    ask,
    faults,
    health,
    import_export,
    journey,
    logs,
    map,
    metrics,
    openapi,
    overview,
    storage,
    traces,
)
from observatory.api.context import Context
from observatory.api.responses import (
    BadRequest,
    TooLarge,
    bad_request,
    hung_up,
    too_large,
    wrong_method,
)
from observatory.api.selection import bad_filter
from observatory.compare.parsing import BadFilter

__all__ = ["EXCEPTION_HANDLERS", "Context", "routes"]

EXCEPTION_HANDLERS: dict[Any, Any] = {
    BadRequest: bad_request,
    BadFilter: bad_filter,
    TooLarge: too_large,
    ClientDisconnect: hung_up,
    405: wrong_method,
}

VIEWS = (
    health,
    traces,
    overview,
    map,
    journey,
    logs,
    metrics,
    ask,
    storage,
    import_export,
    faults,
)


def routes(context: Context) -> list[Route]:
    """Every route under ``/api``."""
    known = [route for view in VIEWS for route in view.routes(context)]
    described = [operation for view in VIEWS for operation in view.OPERATIONS]
    return [*known, openapi.route(described)]
