"""The JSON API under ``/api``, which the explorer and the scripts use.

Each module has a ``router`` with the routes of one view. FastAPI generates the OpenAPI document
from the routers and the types in ``schemas``. Endpoints return a ``Response`` themselves, so that
FastAPI does not validate a large body again.
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
    client_disconnected,
    method_not_allowed,
    too_large,
)
from observatory.compare.parsing import BadFilter

__all__ = ["EXCEPTION_HANDLERS", "ROUTES", "Context"]

EXCEPTION_HANDLERS: dict[Any, Any] = {
    BadRequest: bad_request,
    BadFilter: bad_filter,
    RequestValidationError: bad_parameters,
    TooLarge: too_large,
    ClientDisconnect: client_disconnected,
    405: method_not_allowed,
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
