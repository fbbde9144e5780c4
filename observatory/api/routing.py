"""Declaring routes: the router, the context, and the documentation of bodies and errors."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from observatory.api.context import Context
from observatory.schemas.error import Error

INVALID_PARAMETER = "A parameter is invalid; the message says what would be valid."
WITHOUT_TYPES = {"response_model": None, "responses": None, "openapi_extra": None}
# Documented for every operation, because every request passes the guard.
_DEFAULT: dict[int | str, dict[str, Any]] = {
    "default": {"model": Error, "description": "The request was rejected; the message says why"}
}


def methods_of(route: APIRoute) -> set[str]:
    """Return a route's HTTP methods, without HEAD, which is not documented."""
    return (route.methods or set()) - {"HEAD"}


class ReadableRoute(APIRoute):
    """A route that accepts HEAD where it accepts GET, as Starlette's own routes do.

    The types of bodies are only for the OpenAPI document, so FastAPI gets them from ``documented``
    alone. It would otherwise build a validator of each type for each route, which slows the start.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self._options = options
        super().__init__(path, endpoint, **(options | WITHOUT_TYPES))
        if "GET" in methods_of(self):
            self.methods = {"GET", "HEAD"}

    def documented(self) -> APIRoute:
        """Return this route as the OpenAPI document describes it: without HEAD, with all types."""
        types = (self._options["openapi_extra"] or {}).get("requestBody", ())
        extra = {"requestBody": _json_body(types)} if types else None
        return APIRoute(self.path, self.endpoint, **(self._options | {"openapi_extra": extra}))


def _operation_id(route: APIRoute) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api/"))
    return "_".join([min(methods_of(route)).lower(), *words])


def new_router() -> APIRouter:
    """Return a router for the routes of one module."""
    return APIRouter(
        route_class=ReadableRoute, responses=_DEFAULT, generate_unique_id_function=_operation_id
    )


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    if context.folding.pending_bytes:  # a response shows everything that was acknowledged before it
        await run_in_threadpool(context.folding.catch_up)
    return context


# The type of an endpoint's parameter that receives the context.
Reading = Annotated[Context, Depends(_context)]


def error_responses(errors: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Document the error statuses of an operation, each with the case in which it is returned."""
    return {status: {"model": Error, "description": case} for status, case in errors.items()}


def json_body_of(*types: Any) -> dict[str, Any]:
    """Document a JSON body of one of the types, which the endpoint reads and validates itself."""
    return {"requestBody": types}


def _json_body(types: Sequence[Any]) -> dict[str, Any]:
    schemas = [TypeAdapter(each).json_schema() for each in types]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"required": True, "content": {"application/json": {"schema": schema}}}
