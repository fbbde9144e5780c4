"""``/api/ask``: queries in SQL, which can only read."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observatory.api.context import Context
from observatory.api.responses import NO_STORE, BadRequest, error, json_body
from observatory.api.routing import Reading, error_responses, json_body_of, new_router
from observatory.ask.query import answer_of
from observatory.ask.schema import schema_of
from observatory.ask.statement import BadSql
from observatory.schemas.ask import ROWS_LIMIT, SqlQuery, SqlResult, SqlSchema

BODY_LIMIT_BYTES = 2**20

router = new_router()


@router.post(
    "/api/ask",
    response_model=SqlResult,
    summary="Run a read-only SQL query",
    responses=error_responses(
        {
            400: "`bad_sql`: not a single reading statement, or DuckDB rejected it",
            413: "The body is larger than 1 MiB",
        }
    ),
    openapi_extra=json_body_of(SqlQuery),
)
async def ask(context: Reading, request: Request) -> Response:
    body = await json_body(request, BODY_LIMIT_BYTES)
    sql, limit = _query(body)
    try:
        result = await run_in_threadpool(_run, context, sql, limit)
    except BadSql as bad:
        return error(400, "bad_sql", str(bad))
    return JSONResponse(result, headers=NO_STORE)


@router.get(
    "/api/ask/schema", response_model=SqlSchema, summary="List the views, with example queries"
)
def schema(context: Reading) -> Response:
    with context.store.reader() as reader:
        return JSONResponse(schema_of(reader, context.examples))


def _run(context: Context, sql: str, limit: int) -> SqlResult:
    with context.store.reader() as reader:
        return answer_of(reader, sql, limit)


def _query(body: Any) -> tuple[str, int]:
    if not isinstance(body, dict) or not isinstance(body.get("sql"), str):
        raise BadRequest('The body must be {"sql": "select …"}, with an optional "limit".')
    limit = body.get("limit", ROWS_LIMIT)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= ROWS_LIMIT:
        raise BadRequest(f"limit is {limit!r}: it must be a whole number from 1 to {ROWS_LIMIT}.")
    return body["sql"], limit
