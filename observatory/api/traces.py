"""``/api/traces`` and ``/api/coverage``: the list of traces, and coverage over all."""

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
from observatory.api.routing import REFUSED, Reading, new_router, refusals
from observatory.compare.coverage import coverage_of_everything
from observatory.compare.filter import Comparison, Value
from observatory.compare.matching import Condition
from observatory.compare.trace_list import Cursor, Order, Page, Sort, list_traces
from observatory.schemas.traces import Coverage, TraceList

DEFAULT_LIMIT = 50
LIMIT_MAX = 500
HEX_PREFIX = re.compile(r"[0-9a-fA-F]{1,32}")
CURSOR = re.compile(r"([0-9]{1,19})-([0-9a-f]{32})")
NO_CURSOR = "it is the next_cursor of an answer."

router = new_router()


class ListQuery(SelectionQuery):
    """Which traces, and which page of them."""

    limit: WholeNumber = Field(DEFAULT_LIMIT, ge=1, le=LIMIT_MAX, description="How many, at most")
    sort: Sort = Field("start", description="By what")
    order: Order = Field("desc", description="In which direction")
    cursor: Annotated[str, matching(CURSOR, NO_CURSOR)] = optional(
        description="The next_cursor of the page before", pattern=CURSOR.pattern
    )
    subject: str = optional(
        description="Traces about this, by the promoted attribute with the role `subject`"
    )
    trace_id_prefix: Annotated[str, matching(HEX_PREFIX, "it has 1 to 32 hexadecimal digits.")] = (
        optional(
            description="Traces whose id begins so, in hexadecimal", pattern=HEX_PREFIX.pattern
        )
    )
    service: str = optional(description="Traces with a span of this service")

    def page(self) -> Page:
        """Return which lines of the list are wanted.

        Raises:
            BadRequest: the cursor is none.
        """
        place = CURSOR.fullmatch(self.cursor or "")
        if place is None:
            return Page(self.limit, self.sort, self.order)
        if int(place[1]) >= 2**63:
            raise BadRequest(f"cursor is {self.cursor!r}: {NO_CURSOR}")
        return Page(self.limit, self.sort, self.order, Cursor(int(place[1]), place[2]))

    def narrow(self, condition: Condition) -> None:
        """Add what the parameters beside the filter ask for."""
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
    summary="A page of the traces that match; the newest first, unless asked otherwise",
    responses={
        304: {"description": "It is as it was when the `ETag` was answered"},
        **refusals({400: REFUSED}),
    },
)
def traces(context: Reading, request: Request, query: Annotated[ListQuery, Query()]) -> Response:
    revision = context.revision  # before the query: a later commit then makes a later answer
    etag = f'"{revision}"'
    # With time, traces fall out of the last seconds without anything being stored.
    lasting = query.last is None
    if lasting and request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    page = query.page()
    selection = query.selection()
    with context.digests.reader() as reader:
        condition = selection.condition(reader)
        query.narrow(condition)
        total, lines, cursor = list_traces(reader, condition, page)
    answer: TraceList = {
        "revision": revision,
        "total": total,
        "traces": lines,
        "next_cursor": None if cursor is None else str(cursor),
    }
    headers = {"ETag": etag, "Cache-Control": "no-cache"} if lasting else NO_STORE
    return JSONResponse(answer, headers=headers)


@router.get(
    "/api/coverage",
    response_model=Coverage,
    summary="Context coverage over everything stored",
)
def coverage(context: Reading) -> Response:
    with context.digests.reader() as reader:
        answer = coverage_of_everything(reader)
    return JSONResponse(answer, headers=NO_STORE)
