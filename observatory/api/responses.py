"""What every route of the API has in common: how it asks, answers and refuses."""

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
    """A request that names something wrongly; the message says what and what would be right."""


class TooLarge(Exception):
    """A body beyond what the route takes; the message says how much that is."""


def error(http_status: int, code: str, message: str) -> JSONResponse:
    """An error as every route of the API answers it: ``{"error": {"code", "message"}}``."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=http_status)


def bad_request(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Turns a ``BadRequest`` into its answer; Starlette's exception handler."""
    return error(400, "bad_request", str(exc))


def bad_parameters(request: Request, exc: Exception) -> Response:
    """Turn what FastAPI failure wrong with a request's parameters into an answer.

    The message names the parameter, its value and what would be right.
    """
    if not isinstance(exc, RequestValidationError):
        raise exc
    return error(400, "bad_request", _message(request, exc.errors()[0]))


def _message(request: Request, failure: Mapping[str, Any]) -> str:
    name = str(failure["loc"][-1])
    if failure["type"] == "value_error":  # of a validator of our own
        message = str(failure["ctx"]["error"])
        return f"{name} {message}" if message.startswith("is ") else message
    known = _documented_parameters(request)
    if failure["type"] == "extra_forbidden":
        takes = f"known are {', '.join(known)}" if known else "this takes none"
        return f"There is no parameter {name!r}: {takes}."
    schema: Mapping[str, Any] = known.get(name, {})
    if failure["type"] == "missing":
        return f"{name} is missing: {schema.get('description', 'it is required')}."
    value = f"{name} is {failure['input']!r}"
    if "minimum" in schema:
        return f"{value}: it is a number from {schema['minimum']} to {schema['maximum']}."
    if "enum" in schema:
        return f"{value}: it is one of {', '.join(schema['enum'])}."
    return f"{value}: {failure['msg']}."


def _documented_parameters(request: Request) -> dict[str, Mapping[str, Any]]:
    """The JSON Schemas of the parameters that the request's route has in its query."""
    fields = [field.field_info for field in request.scope["route"].dependant.query_params]
    schemas: dict[str, Mapping[str, Any]] = {}
    for each in fields:
        schemas |= TypeAdapter(each.annotation).json_schema().get("properties", {})
    return schemas


def bad_filter(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Turns a ``BadFilter`` into its answer; Starlette's exception handler."""
    position = exc.position if isinstance(exc, BadFilter) else 0
    refusal = {"code": "bad_filter", "message": str(exc), "position": position}
    return JSONResponse({"error": refusal}, status_code=400)


def too_large(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Turns a ``TooLarge`` into its answer; Starlette's exception handler."""
    # The rest of the body stays unread.
    answer = error(413, "too_large", str(exc))
    answer.headers["Connection"] = "close"
    return answer


def nothing_here(request: Request) -> Response:
    """What is answered for a path that the API doesn't have."""
    return error(404, "not_found", f"There is no {request.url.path} in this API.")


def wrong_method(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """What is answered to a method that none of a path's routes has; Starlette's handler."""
    known = [route for route in request.app.routes if isinstance(route, Route)]
    there = [route for route in known if route.matches(request.scope)[0] is not Match.NONE]
    allowed = ", ".join(sorted({method for route in there for method in route.methods or ()}))
    message = f"{request.url.path} doesn't take {request.method}, but {allowed}."
    answer = error(405, "method_not_allowed", message)
    answer.headers["Allow"] = allowed
    return answer


def hung_up(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """What is answered to a sender that hung up, which nobody reads; Starlette's handler."""
    return Response(status_code=400)


async def body_of(request: Request, limit_bytes: int) -> bytes:
    """The request's body.

    Raises:
        TooLarge: it is longer than ``limit_bytes``.
    """
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > limit_bytes:
            raise TooLarge(f"The body is larger than {limit_bytes // 2**20} MiB.")
        body += chunk
    return bytes(body)


def json_type_required(request: Request) -> None:
    """See that the body is declared to be JSON.

    A page of another site can post a form, but not this type, without asking first.

    Raises:
        BadRequest: it is declared to be something else.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise BadRequest("The body's Content-Type has to be application/json.")


async def json_body(request: Request, limit_bytes: int) -> Any:
    """The request's body as JSON.

    Raises:
        BadRequest: it is none, or isn't declared as such.
        TooLarge: it is longer than ``limit_bytes``.
    """
    json_type_required(request)
    body = await body_of(request, limit_bytes)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error


def trace_not_found(trace_id: str) -> JSONResponse:
    """The 404 for a trace none of whose spans is stored."""
    return error(404, "trace_not_found", f"No span of trace {trace_id} is stored.")
