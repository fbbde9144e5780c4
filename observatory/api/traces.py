"""``/api/traces`` and ``/api/coverage``: the list of traces, and context coverage."""

import re
from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observatory.api.parameters import (
    SelectionQuery,
    WholeNumber,
    matching,
    optional,
)
from observatory.api.responses import NO_STORE, BadRequest
from observatory.api.routing import INVALID_PARAMETER, Reading, error_responses, new_router
from observatory.compare.coverage import coverage_of_everything
from observatory.compare.filter import Comparison, Value
from observatory.compare.matching import Condition
from observatory.compare.trace_list import Cursor, Order, Page, Sort, list_traces
from observatory.schemas.traces import Coverage, TraceList

DEFAULT_LIMIT = 50
LIMIT_MAX = 500
HEX_PREFIX = re.compile(r"[0-9a-fA-F]{1,32}")
CURSOR = re.compile(r"([0-9]{1,19})-([0-9a-f]{32})")
NOT_A_CURSOR = "it must be the next_cursor of a response."

router = new_router()


class ListQuery(SelectionQuery):
    """The traces to list, and the page of the list to return."""

    limit: WholeNumber = Field(
        DEFAULT_LIMIT, ge=1, le=LIMIT_MAX, description="The maximum number of traces"
    )
    sort: Sort = Field("start", description="The sort key")
    order: Order = Field("desc", description="The sort order")
    cursor: Annotated[str, matching(CURSOR, NOT_A_CURSOR)] = optional(
        description="The next_cursor of the previous page", pattern=CURSOR.pattern
    )
    subject: str = optional(
        description="The traces' subject: the promoted attribute with the role `subject`"
    )
    trace_id_prefix: Annotated[
        str, matching(HEX_PREFIX, "it must have 1 to 32 hexadecimal digits.")
    ] = optional(
        description="The beginning of the trace id, in hexadecimal", pattern=HEX_PREFIX.pattern
    )
    service: str = optional(description="A service with a span in the trace")

    def page(self) -> Page:
        """Return the requested page of the list.

        Raises:
            BadRequest: the cursor is invalid.
        """
        cursor = CURSOR.fullmatch(self.cursor or "")
        if cursor is None:
            return Page(self.limit, self.sort, self.order)
        if int(cursor[1]) >= 2**63:
            raise BadRequest(f"cursor is {self.cursor!r}: {NOT_A_CURSOR}")
        return Page(self.limit, self.sort, self.order, Cursor(int(cursor[1]), cursor[2]))

    def narrow(self, condition: Condition) -> None:
        """Add the conditions of the parameters other than the filter and the time range."""
        if self.service:
            condition.matches(Comparison("service", "=", Value(self.service)))
        if self.subject:
            promoted = condition.promotions.subject
            if promoted is None:
                condition.require("false")
            else:
                condition.matches(Comparison(promoted.key, "=", Value(self.subject)))
        if self.trace_id_prefix:
            condition.require("starts_with(t.trace_id, {})", self.trace_id_prefix.lower())


@router.get(
    "/api/traces",
    response_model=TraceList,
    summary="List the traces that match, the newest first by default",
    responses={
        304: {"description": "Nothing has changed since the response with this `ETag`"},
        **error_responses({400: INVALID_PARAMETER}),
    },
)
def traces(context: Reading, request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    # Read before the query: a commit in between then changes the ETag of the next response.
    revision = context.revision
    etag = f'"{revision}"'
    # The result of a query with ``last`` changes with time, without any commit.
    cacheable = query.last is None
    if cacheable and request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    page = query.page()
    selection = query.selection()
    with context.digests.reader() as reader:
        condition = selection.condition(reader)
        query.narrow(condition)
        total, lines, cursor = list_traces(reader, condition, page, context.conventions)
    trace_list: TraceList = {
        "revision": revision,
        "total": total,
        "traces": lines,
        "next_cursor": None if cursor is None else str(cursor),
    }
    headers = {"ETag": etag, "Cache-Control": "no-cache"} if cacheable else NO_STORE
    return JSONResponse(trace_list, headers=headers)


@router.get(
    "/api/coverage",
    response_model=Coverage,
    summary="Get the context coverage of all stored spans",
)
def coverage(context: Reading) -> Response:
    with context.digests.reader() as reader:
        body = coverage_of_everything(reader, context.conventions)
    return JSONResponse(body, headers=NO_STORE)
