"""``/api/ask``: questions in SQL, which can only read."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observatory.api.context import Context
from observatory.api.responses import NO_STORE, BadRequest, error, json_body
from observatory.api.routing import Reading, json_body_of, new_router, refusals
from observatory.ask.query import answer_of
from observatory.ask.schema import schema_of
from observatory.ask.statement import BadSql
from observatory.schemas.ask import ROWS_LIMIT, Answer, AskSchema, Question

BODY_LIMIT_BYTES = 2**20

router = new_router()


@router.post(
    "/api/ask",
    response_model=Answer,
    summary="What a question in SQL answers; it can only read",
    responses=refusals(
        {
            400: "`bad_sql`: not one statement that reads, or one that DuckDB refuses",
            413: "The question is larger than 1 MiB",
        }
    ),
    openapi_extra=json_body_of(Question),
)
async def ask(context: Reading, request: Request) -> Response:
    body = await json_body(request, BODY_LIMIT_BYTES)
    sql, limit = _question(body)
    try:
        answer = await run_in_threadpool(_answer, context, sql, limit)
    except BadSql as refused:
        return error(400, "bad_sql", str(refused))
    return JSONResponse(answer, headers=NO_STORE)


@router.get(
    "/api/ask/schema", response_model=AskSchema, summary="The views to ask of, and examples"
)
def schema(context: Reading) -> Response:
    with context.store.reader() as reader:
        return JSONResponse(schema_of(reader, context.examples))


def _answer(context: Context, sql: str, limit: int) -> Answer:
    with context.store.reader() as reader:
        return answer_of(reader, sql, limit)


def _question(body: Any) -> tuple[str, int]:
    if not isinstance(body, dict) or not isinstance(body.get("sql"), str):
        raise BadRequest('A question is {"sql": "select …"}, and may have a "limit".')
    limit = body.get("limit", ROWS_LIMIT)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= ROWS_LIMIT:
        raise BadRequest(f"limit is {limit!r}: it is a number from 1 to {ROWS_LIMIT}.")
    return body["sql"], limit
