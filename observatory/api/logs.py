"""``/api/logs``: log records, newest first, or from a given time on."""

import re
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, Field, model_validator
from starlette.responses import JSONResponse, Response

from observatory.api.parameters import (
    TRACE_ID_PATTERN,
    SelectionQuery,
    WholeNumber,
    matching,
    optional,
    trace_id_in,
)
from observatory.api.responses import NO_STORE, BadRequest
from observatory.api.routing import INVALID_PARAMETER, Reading, error_responses, new_router
from observatory.schemas.signals import LogPage
from observatory.signals.logs import LogFilter, Position, newer_lines, older_lines

DEFAULT_LIMIT = 200
LIMIT_MAX = 1_000
SEVERITY_MAX = 24
POSITION = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,18}))?")
NOT_A_POSITION = "it must be the next of a response, or a time_unix_nano."

router = new_router()


class LogsQuery(SelectionQuery):
    """The log records to return."""

    severity_at_least: WholeNumber = Field(
        0,
        ge=0,
        le=SEVERITY_MAX,
        description="The lowest severity number: 9 is INFO, 13 WARN, 17 ERROR",
    )
    text: str = Field("", description="Words that must occur in the body, event name or service")
    trace: Annotated[str, AfterValidator(trace_id_in)] = optional(
        description="The id of the records' trace", pattern=TRACE_ID_PATTERN
    )
    limit: WholeNumber = Field(
        DEFAULT_LIMIT, ge=1, le=LIMIT_MAX, description="The maximum number of records"
    )
    before: Annotated[str, matching(POSITION, NOT_A_POSITION)] = optional(
        description="Only records before this: the `next` of a response, or a time_unix_nano",
        pattern=POSITION.pattern,
    )
    after: Annotated[str, matching(POSITION, NOT_A_POSITION)] = optional(
        description="The first records at or after this time_unix_nano, instead of the newest",
        pattern=POSITION.pattern,
    )

    @model_validator(mode="after")
    def _one_direction(self) -> "LogsQuery":
        if self.before and self.after:
            raise ValueError("before and after exclude each other: give one of them.")
        return self


@router.get(
    "/api/logs",
    response_model=LogPage,
    summary="List log records, newest first; the time range applies to their own times",
    responses=error_responses({400: INVALID_PARAMETER}),
)
def logs(context: Reading, query: Annotated[LogsQuery, Query()]) -> Response:
    question = LogFilter(query.selection(), query.severity_at_least, query.text, query.trace)
    before, after = _position("before", query.before), _position("after", query.after)
    with context.digests.reader() as reader:
        if after is not None:
            page = newer_lines(reader, question, query.limit, after.time_unix_nano)
        else:
            page = older_lines(reader, question, query.limit, before)
    return JSONResponse(page, headers=NO_STORE)


def _position(name: str, text: str | None) -> Position | None:
    position = POSITION.fullmatch(text or "")
    if position is None:
        return None
    if int(position[1]) >= 2**63:
        raise BadRequest(f"{name} is {text!r}: {NOT_A_POSITION}")
    return Position(int(position[1]), int(position[2]) if position[2] else None)
