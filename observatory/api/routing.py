"""What all routes of the API have in common: how they are declared and what they read."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.requests import Request

from observatory.api.context import Context
from observatory.schemas.error import Error

REFUSED = "Something in the question is wrong; the message says what would be right."
# Described for every operation, since every request passes the guard.
_DEFAULT: dict[int | str, dict[str, Any]] = {
    "default": {"model": Error, "description": "Refused; the message says why"}
}


def methods_of(route: APIRoute) -> set[str]:
    """Return the HTTP methods that the API describes of a route; HEAD goes without saying."""
    return (route.methods or set()) - {"HEAD"}


class ReadableRoute(APIRoute):
    """A route that answers HEAD where it answers GET, as Starlette's do."""

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
    return context


# An endpoint's parameter of this type is what the routes read.
Reading = Annotated[Context, Depends(_context)]


def refusals(errors: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Describe the HTTP statuses with which an operation refuses, and when."""
    return {status: {"model": Error, "description": when} for status, when in errors.items()}


def json_body_of(*types: Any) -> dict[str, Any]:
    """Describe a body that the endpoint itself reads and checks, within its limit of size."""
    schemas = [TypeAdapter(each).json_schema() for each in types]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
