"""Reading request bodies and building error responses, for every route of the API."""

import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from observatory.compare.parsing import BadFilter

NO_STORE = {"Cache-Control": "no-store"}
TRACE_ID_TEXT = re.compile(r"[0-9a-f]{32}")


class BadRequest(Exception):
    """An invalid request; the message says what is wrong, and what would be valid."""


class TooLarge(Exception):
    """A body above the route's size limit; the message names the limit."""


def error(http_status: int, code: str, message: str) -> JSONResponse:
    """Return an error response, with the body ``{"error": {"code", "message"}}``."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=http_status)


def bad_request(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Handle ``BadRequest``: return 400."""
    return error(400, "bad_request", str(exc))


def bad_parameters(request: Request, exc: Exception) -> Response:
    """Handle FastAPI's validation errors of parameters: return 400.

    The message names the first invalid parameter, its value, and what would be valid.
    """
    if not isinstance(exc, RequestValidationError):
        raise exc
    return error(400, "bad_request", _message(request, exc.errors()[0]))


def _message(request: Request, failure: Mapping[str, Any]) -> str:
    name = str(failure["loc"][-1])
    if failure["type"] == "value_error":  # from a validator of ``parameters``
        message = str(failure["ctx"]["error"])
        return f"{name} {message}" if message.startswith("is ") else message
    parameters = _documented_parameters(request)
    if failure["type"] == "extra_forbidden":
        names = f"known are {', '.join(parameters)}" if parameters else "this path has none"
        return f"There is no parameter {name!r}: {names}."
    schema: Mapping[str, Any] = parameters.get(name, {})
    if failure["type"] == "missing":
        return f"{name} is missing: {schema.get('description', 'it is required')}."
    value = f"{name} is {failure['input']!r}"
    if "minimum" in schema:
        return f"{value}: it must be a number from {schema['minimum']} to {schema['maximum']}."
    if "enum" in schema:
        return f"{value}: it must be one of {', '.join(schema['enum'])}."
    return f"{value}: {failure['msg']}."


def _documented_parameters(request: Request) -> dict[str, Mapping[str, Any]]:
    """Return the JSON Schemas of the query parameters of the request's route, by name."""
    fields = [field.field_info for field in request.scope["route"].dependant.query_params]
    schemas: dict[str, Mapping[str, Any]] = {}
    for each in fields:
        schemas |= TypeAdapter(each.annotation).json_schema().get("properties", {})
    return schemas


def bad_filter(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Handle ``BadFilter``: return 400, with the position of the error in the filter."""
    position = exc.position if isinstance(exc, BadFilter) else 0
    details = {"code": "bad_filter", "message": str(exc), "position": position}
    return JSONResponse({"error": details}, status_code=400)


def too_large(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Handle ``TooLarge``: return 413."""
    response = error(413, "too_large", str(exc))
    response.headers["Connection"] = "close"  # the rest of the body has not been read
    return response


def path_not_found(request: Request) -> Response:
    """Return the 404 for a path that the API does not have."""
    message = f"This API has no path {request.url.path}: /api/openapi.json describes it."
    return error(404, "not_found", message)


def method_not_allowed(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Handle a method that no route of the path has: return 405."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    allowed = ", ".join(sorted({method for route in matching for method in route.methods or ()}))
    message = f"{request.url.path} does not allow {request.method}: use {allowed}."
    response = error(405, "method_not_allowed", message)
    response.headers["Allow"] = allowed
    return response


def client_disconnected(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Handle a client that disconnected while its body was read. The response is never sent."""
    return Response(status_code=400)


async def body_of(request: Request, limit_bytes: int) -> bytes:
    """Return the request's body.

    Raises:
        TooLarge: it is longer than ``limit_bytes``.
    """
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > limit_bytes:
            raise TooLarge(
                f"The body is larger than {limit_bytes // 2**20} MiB: send less in one request."
            )
        body += chunk
    return bytes(body)


def json_type_required(request: Request) -> None:
    """Check that the body's Content-Type is JSON.

    Another site's page cannot send this type without a CORS preflight request, unlike a form.

    Raises:
        BadRequest: it is another type.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise BadRequest("The body's Content-Type must be application/json.")


async def json_body(request: Request, limit_bytes: int) -> Any:
    """Return the request's body, decoded from JSON.

    Raises:
        BadRequest: it is not JSON, or its Content-Type is another.
        TooLarge: it is longer than ``limit_bytes``.
    """
    json_type_required(request)
    body = await body_of(request, limit_bytes)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error


def trace_not_found(trace_id: str) -> JSONResponse:
    """Return the 404 for a trace that has no stored spans."""
    message = f"No span of trace {trace_id} is stored: it has not arrived yet, or was deleted."
    return error(404, "trace_not_found", message)
