"""What every route of the API has in common: how it asks, answers and refuses."""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

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
    said = f"{request.url.path} doesn't take {request.method}, but {allowed}."
    answer = error(405, "method_not_allowed", said)
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


def parameters(request: Request, *known: str) -> dict[str, str]:
    """The query's parameters, each of which is one of ``known``.

    Raises:
        BadRequest: one is not.
    """
    query = dict(request.query_params)
    for name in query:
        if name not in known:
            raise BadRequest(f"There is no parameter {name!r}: known are {', '.join(known)}.")
    return query


def whole_number(name: str, text: str, least: int, most: int) -> int:
    """The number that the parameter ``name`` says.

    Raises:
        BadRequest: it is no whole number from ``least`` to ``most``.
    """
    if not (text.isascii() and text.isdigit() and least <= int(text[:18]) <= most):
        raise BadRequest(f"{name} is {text!r}: it is a number from {least} to {most}.")
    return int(text)


def trace_id_in(text: str) -> str:
    """The trace id that ``text`` is, in lower case.

    Raises:
        BadRequest: it is none.
    """
    trace_id = text.lower()
    if TRACE_ID_TEXT.fullmatch(trace_id) is None:
        raise BadRequest(f"{text!r} is no trace id: it has 32 hexadecimal digits.")
    return trace_id


def trace_not_found(trace_id: str) -> JSONResponse:
    """The 404 for a trace none of whose spans is stored."""
    return error(404, "trace_not_found", f"No span of trace {trace_id} is stored.")
