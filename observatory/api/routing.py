"""Declaring routes: the router, the context, and the documentation of bodies and errors."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from observatory.api.context import Context
from observatory.schemas.error import Error

INVALID_PARAMETER = "A parameter is invalid; the message says what would be valid."
# Documented for every operation, because every request passes the guard.
_DEFAULT: dict[int | str, dict[str, Any]] = {
    "default": {"model": Error, "description": "The request was rejected; the message says why"}
}


def methods_of(route: APIRoute) -> set[str]:
    """Return a route's HTTP methods, without HEAD, which is not documented."""
    return (route.methods or set()) - {"HEAD"}


class ReadableRoute(APIRoute):
    """A route that accepts HEAD where it accepts GET, as Starlette's own routes do."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if "GET" in methods_of(self):
            self.methods = {"GET", "HEAD"}


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
    """Document a JSON body that the endpoint reads and validates itself."""
    schemas = [TypeAdapter(each).json_schema() for each in types]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
