"""The parameters that narrow a question to some of the traces, and what is said of a bad filter."""

import math
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observatory.api.operations import MS_MAX, SELECTION
from observatory.api.responses import BadRequest
from observatory.compare.parsing import BadFilter, parse
from observatory.compare.selection import Selection, now_ms

NAMES = tuple(parameter.name for parameter in SELECTION)


def selection_in(query: Mapping[str, str]) -> Selection:
    """The selection that the parameters of a query name.

    Raises:
        BadRequest: a time is none, or both a range and ``last`` are given.
        BadFilter: ``q`` can't be read.
    """
    from_ms, to_ms = (
        number(name, query[name]) if query.get(name) else None for name in ("from", "to")
    )
    if query.get("last"):
        if from_ms is not None or to_ms is not None:
            raise BadRequest("last stands instead of from and to: leave it out, or both of them.")
        from_ms = now_ms() - number("last", query["last"]) * 1000
    return Selection(parse(query.get("q", "")), from_ms, to_ms)


def number(name: str, text: str) -> float:
    """The number that the parameter ``name`` says.

    Raises:
        BadRequest: it is none from 0 to the end of time.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MS_MAX:
        raise BadRequest(f"{name} is {text!r}: it is a number from 0 to {MS_MAX}.")
    return value


def bad_filter(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Turns a ``BadFilter`` into its answer; Starlette's exception handler."""
    position = exc.position if isinstance(exc, BadFilter) else 0
    said = {"code": "bad_filter", "message": str(exc), "position": position}
    return JSONResponse({"error": said}, status_code=400)
