"""``/api/logs``: log lines, newest first, and those that came since."""

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
from observatory.api.routing import REFUSED, Reading, new_router, refusals
from observatory.schemas.signals import LogPage
from observatory.signals.logs import Position, Question, newer_lines, older_lines

DEFAULT_LIMIT = 200
LIMIT_MAX = 1_000
SEVERITY_MAX = 24
PLACE = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,18}))?")
NO_PLACE = "it is the next of an answer, or a time_unix_nano."

router = new_router()


class LogsQuery(SelectionQuery):
    """Which lines."""

    severity_at_least: WholeNumber = Field(
        0, ge=0, le=SEVERITY_MAX, description="9 for INFO and worse, 13 WARN, 17 ERROR"
    )
    text: str = Field("", description="Words that the line's body, event or service must have")
    trace: Annotated[str, AfterValidator(trace_id_in)] = optional(
        description="Lines of the trace of this id", pattern=TRACE_ID_PATTERN
    )
    limit: WholeNumber = Field(DEFAULT_LIMIT, ge=1, le=LIMIT_MAX, description="How many, at most")
    before: Annotated[str, matching(PLACE, NO_PLACE)] = optional(
        description="Lines before this place: the `next` of an answer, or a time_unix_nano",
        pattern=PLACE.pattern,
    )
    after: Annotated[str, matching(PLACE, NO_PLACE)] = optional(
        description="The first lines at or after this time_unix_nano, instead of the newest",
        pattern=PLACE.pattern,
    )

    @model_validator(mode="after")
    def _one_direction(self) -> "LogsQuery":
        if self.before and self.after:
            raise ValueError("before and after are two questions: leave one out.")
        return self


@router.get(
    "/api/logs",
    response_model=LogPage,
    summary="Log lines, newest first; from, to and last are about the line's time",
    responses=refusals({400: REFUSED}),
)
def logs(context: Reading, query: Annotated[LogsQuery, Query()]) -> Response:
    question = Question(query.selection(), query.severity_at_least, query.text, query.trace)
    before, after = _place("before", query.before), _place("after", query.after)
    with context.digests.reader() as reader:
        if after is not None:
            page = newer_lines(reader, question, query.limit, after.time_unix_nano)
        else:
            page = older_lines(reader, question, query.limit, before)
    return JSONResponse(page, headers=NO_STORE)


def _place(name: str, text: str | None) -> Position | None:
    place = PLACE.fullmatch(text or "")
    if place is None:
        return None
    if int(place[1]) >= 2**63:
        raise BadRequest(f"{name} is {text!r}: {NO_PLACE}")
    return Position(int(place[1]), int(place[2]) if place[2] else None)
