"""``/api/traces`` and ``/api/coverage``: the list of traces, and coverage over all."""

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory.api.context import Context
from observatory.api.operations import SELECTION, Operation, Parameter
from observatory.api.responses import NO_STORE, BadRequest, parameters, whole_number
from observatory.api.selection import selection_in
from observatory.compare.coverage import coverage_of_everything
from observatory.compare.filter import Comparison, Value
from observatory.compare.matching import Condition
from observatory.compare.trace_list import ORDERS, SORTS, Cursor, Order, Page, Sort, list_traces
from observatory.schemas.traces import Coverage, TraceList

DEFAULT_LIMIT = 50
LIMIT_MAX = 500
HEX_PREFIX = re.compile(r"[0-9a-fA-F]{1,32}")
CURSOR = re.compile(r"([0-9]{1,19})-([0-9a-f]{32})")
LIST_PARAMETERS = (
    *SELECTION,
    Parameter("limit", "How many, at most", int, DEFAULT_LIMIT, 1, LIMIT_MAX),
    Parameter("sort", "By what", Sort, "start"),
    Parameter("order", "In which direction", Order, "desc"),
    Parameter("cursor", "The next_cursor of the page before", pattern=f"(?:{CURSOR.pattern})?"),
    Parameter("subject", "Traces about this, by the promoted attribute with the role `subject`"),
    Parameter(
        "trace_id_prefix", "Traces whose id begins so, in hexadecimal", pattern="[0-9a-fA-F]{0,32}"
    ),
    Parameter("service", "Traces with a span of this service"),
)
OPERATIONS = (
    Operation(
        "GET",
        "/api/traces",
        "A page of the traces that match",
        TraceList,
        LIST_PARAMETERS,
        tagged=True,
    ),
    Operation(
        "GET", "/api/coverage", "Context coverage over everything stored", Coverage, errors={}
    ),
)


def routes(context: Context) -> list[Route]:
    """The routes of this module; their functions block, so Starlette runs them in threads."""

    def traces(request: Request) -> Response:
        """A page of the traces that match; the newest first, unless asked otherwise."""
        revision = context.revision  # before the query: a later commit then makes a later answer
        etag = f'"{revision}"'
        query = parameters(request, *(known.name for known in LIST_PARAMETERS))
        # With time, traces fall out of the last seconds without anything being stored.
        lasting = not query.get("last")
        if lasting and request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        page = _page(query)
        selection = selection_in(query)
        with context.digests.reader() as reader:
            condition = selection.condition(reader)
            _narrow(condition, query)
            total, found, cursor = list_traces(reader, condition, page)
        answer: TraceList = {
            "revision": revision,
            "total": total,
            "traces": found,
            "next_cursor": None if cursor is None else str(cursor),
        }
        headers = {"ETag": etag, "Cache-Control": "no-cache"} if lasting else NO_STORE
        return JSONResponse(answer, headers=headers)

    def coverage(request: Request) -> Response:  # noqa: ARG001
        """Context coverage over everything stored."""
        with context.digests.reader() as reader:
            found = coverage_of_everything(reader)
        return JSONResponse(found, headers=NO_STORE)

    return [
        Route("/api/traces", traces),
        Route("/api/coverage", coverage),
    ]


def _page(query: Mapping[str, str]) -> Page:
    limit = whole_number("limit", query.get("limit", str(DEFAULT_LIMIT)), 1, LIMIT_MAX)
    sort, order = query.get("sort", SORTS[0]), query.get("order", ORDERS[0])
    if sort not in SORTS:
        raise BadRequest(f"sort is {sort!r}: it is one of {', '.join(SORTS)}.")
    if order not in ORDERS:
        raise BadRequest(f"order is {order!r}: it is desc or asc.")
    cursor = query.get("cursor") or None
    if cursor is None:
        return Page(limit, sort, order)
    found = CURSOR.fullmatch(cursor)
    if found is None or int(found[1]) >= 2**63:
        raise BadRequest(f"cursor is {cursor!r}: it is the next_cursor of an answer.")
    return Page(limit, sort, order, Cursor(int(found[1]), found[2]))


def _narrow(condition: Condition, query: Mapping[str, str]) -> None:
    if query.get("service"):
        condition.matches(Comparison("service", "=", Value(query["service"])))
    if query.get("subject"):
        subject = condition.promotions.subject
        if subject is None:
            condition.require("false")
        else:
            condition.matches(Comparison(subject.key, "=", Value(query["subject"])))
    prefix = query.get("trace_id_prefix")
    if prefix:
        if HEX_PREFIX.fullmatch(prefix) is None:
            raise BadRequest(f"trace_id_prefix is {prefix!r}: it has 1 to 32 hexadecimal digits.")
        condition.require("starts_with(t.trace_id, {})", prefix.lower())
