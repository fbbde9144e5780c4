"""``/api/openapi.json``: the API's description, put together from what each view says of itself."""

import functools
import re
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory import VERSION
from observatory.api.json_schema import Schema, schema_of
from observatory.api.operations import Operation, Parameter
from observatory.schemas.error import Error

PATH = "/api/openapi.json"
OPERATIONS = (
    Operation("GET", PATH, "This description, as OpenAPI 3.1", dict[str, Any], errors={}),
)
ABOUT = """\
Everything that the explorer and `./scripts/trace` show. Telemetry itself comes in as OTLP over
HTTP at `/v1/traces`, `/v1/logs` and `/v1/metrics`, which the OpenTelemetry specification describes.

Whatever is asked for: a request for another host than this machine's, or one that was allowed, is
refused with 421, one that would change something from another page than the explorer with 403, and
a method that a path doesn't have with 405.
"""


def route(operations: Iterable[Operation]) -> Route:
    """The route that answers with the description of ``operations`` and of itself."""
    described = [*operations, *OPERATIONS]

    @functools.cache
    def document() -> dict[str, Any]:
        return describe(described)

    async def openapi(request: Request) -> Response:  # noqa: ARG001
        """The description of this API, put together when somebody asks for the first time."""
        return JSONResponse(document())

    return Route(PATH, openapi)


def describe(operations: Iterable[Operation]) -> dict[str, Any]:
    """An OpenAPI 3.1 document of ``operations``."""
    definitions: dict[str, Schema] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _operation(operation, definitions)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Throughline Observatory", "version": VERSION, "description": ABOUT},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(definitions.items()))},
    }


def _operation(operation: Operation, definitions: dict[str, Schema]) -> dict[str, Any]:
    in_path = set(re.findall(r"{(\w+)}", operation.path))
    answer = schema_of(operation.answers, definitions)
    responses: dict[str, Any] = {
        "200": {
            "description": operation.says,
            "content": {operation.media_type: {"schema": answer}},
        }
    }
    if operation.tagged:
        responses["304"] = {"description": "It is as it was when the `ETag` was answered"}
    for status, when in operation.errors.items():
        content = {"application/json": {"schema": schema_of(Error, definitions)}}
        responses[str(status)] = {"description": when, "content": content}
    described: dict[str, Any] = {
        "operationId": _id(operation),
        "summary": operation.says,
        "parameters": [
            _parameter(parameter, parameter.name in in_path, definitions)
            for parameter in operation.parameters
        ],
        "responses": responses,
    }
    if operation.body is not None:
        schema = schema_of(operation.body, definitions)
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return described


def _id(operation: Operation) -> str:
    words = re.findall(r"\w+", operation.path.removeprefix("/api/"))
    return "_".join([operation.method.lower(), *words])


def _parameter(
    parameter: Parameter, in_path: bool, definitions: dict[str, Schema]
) -> dict[str, Any]:
    schema = schema_of(parameter.type, definitions)
    limits = {
        "default": parameter.default,
        "minimum": parameter.least,
        "maximum": parameter.most,
    }
    schema |= {name: value for name, value in limits.items() if value is not None}
    if parameter.pattern is not None:
        schema["pattern"] = f"^(?:{parameter.pattern})$"
    if parameter.repeated:
        schema = {"type": "array", "items": schema}
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path or parameter.required,
        "description": parameter.says,
        "schema": schema,
    }
