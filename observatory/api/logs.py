"""``/api/logs``: log lines, newest first, and those that came since."""

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory.api.context import Context
from observatory.api.operations import SELECTION, TRACE_ID_PATTERN, Operation, Parameter
from observatory.api.responses import (
    NO_STORE,
    BadRequest,
    parameters,
    trace_id_in,
    whole_number,
)
from observatory.api.selection import selection_in
from observatory.schemas.signals import LogPage
from observatory.signals.logs import Position, Question, newer_lines, older_lines

DEFAULT_LIMIT = 200
LIMIT_MAX = 1_000
SEVERITY_MAX = 24
PLACE = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,18}))?")

PARAMETERS = (
    *SELECTION,
    Parameter("severity_at_least", "9 for INFO and worse, 13 WARN, 17 ERROR", int, 0, 0, 24),
    Parameter("text", "Words that the line's body, event or service must have"),
    Parameter("trace", "Lines of the trace of this id", pattern=f"(?:{TRACE_ID_PATTERN})?"),
    Parameter("limit", "How many, at most", int, DEFAULT_LIMIT, 1, LIMIT_MAX),
    Parameter(
        "before",
        "Lines before this place: the `next` of an answer, or a time_unix_nano",
        pattern=f"(?:{PLACE.pattern})?",
    ),
    Parameter(
        "after",
        "The first lines at or after this time_unix_nano, instead of the newest",
        pattern=f"(?:{PLACE.pattern})?",
    ),
)
OPERATIONS = (
    Operation(
        "GET",
        "/api/logs",
        "Log lines, newest first; from, to and last are about the line's time",
        LogPage,
        PARAMETERS,
    ),
)


def routes(context: Context) -> list[Route]:
    """The routes of this module; their functions block, so Starlette runs them in threads."""

    def logs(request: Request) -> Response:
        """A page of log lines."""
        query = parameters(request, *(known.name for known in PARAMETERS))
        limit = whole_number("limit", query.get("limit", str(DEFAULT_LIMIT)), 1, LIMIT_MAX)
        severity = query.get("severity_at_least", "0")
        question = Question(
            selection_in(query),
            whole_number("severity_at_least", severity, 0, SEVERITY_MAX),
            query.get("text", ""),
            trace_id_in(query["trace"]) if query.get("trace") else None,
        )
        before, after = (_place(name, query.get(name)) for name in ("before", "after"))
        if before is not None and after is not None:
            raise BadRequest("before and after are two questions: leave one out.")
        with context.digests.reader() as reader:
            if after is not None:
                page = newer_lines(reader, question, limit, after.time_unix_nano)
            else:
                page = older_lines(reader, question, limit, before)
        return JSONResponse(page, headers=NO_STORE)

    return [Route("/api/logs", logs)]


def _place(name: str, text: str | None) -> Position | None:
    if not text:
        return None
    found = PLACE.fullmatch(text)
    if found is None or int(found[1]) >= 2**63:
        raise BadRequest(f"{name} is {text!r}: it is the next of an answer, or a time_unix_nano.")
    return Position(int(found[1]), int(found[2]) if found[2] else None)
