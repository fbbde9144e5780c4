"""The JSON API under ``/api``: everything that the explorer and the scripts show.

Each module has a ``router`` with the routes of one view. FastAPI writes the API's description from
them and from the types in ``schemas``. Endpoints answer with a ``Response`` of their own, so that
a large answer is not validated once more.
"""

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute

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
    bad_filter,
    bad_parameters,
    bad_request,
    hung_up,
    too_large,
    wrong_method,
)
from observatory.compare.parsing import BadFilter

__all__ = ["EXCEPTION_HANDLERS", "ROUTES", "Context"]

EXCEPTION_HANDLERS: dict[Any, Any] = {
    BadRequest: bad_request,
    BadFilter: bad_filter,
    RequestValidationError: bad_parameters,
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
    openapi,
)
ROUTES: tuple[BaseRoute, ...] = tuple(route for view in VIEWS for route in view.router.routes)
