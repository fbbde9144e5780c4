"""``/api/ask``: questions in SQL, which can only read."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory.api.context import Context
from observatory.api.operations import Operation
from observatory.api.responses import NO_STORE, BadRequest, error, json_body
from observatory.ask.query import answer_of
from observatory.ask.schema import schema_of
from observatory.ask.statement import BadSql
from observatory.schemas.ask import ROWS_LIMIT, Answer, AskSchema, Question

BODY_LIMIT_BYTES = 2**20
OPERATIONS = (
    Operation(
        "POST",
        "/api/ask",
        "What a question in SQL answers; it can only read",
        Answer,
        body=Question,
        errors={
            400: "`bad_sql`: not one statement that reads, or one that DuckDB refuses",
            413: "The question is larger than 1 MiB",
        },
    ),
    Operation("GET", "/api/ask/schema", "The views to ask of, and examples", AskSchema, errors={}),
)


def routes(context: Context) -> list[Route]:
    """The routes of this module."""

    async def ask(request: Request) -> Response:
        """Answer one question."""
        body = await json_body(request, BODY_LIMIT_BYTES)
        sql, limit = _question(body)
        try:
            answer = await run_in_threadpool(_answer, context, sql, limit)
        except BadSql as refused:
            return error(400, "bad_sql", str(refused))
        return JSONResponse(answer, headers=NO_STORE)

    def schema(request: Request) -> Response:  # noqa: ARG001
        """The views to ask of."""
        with context.store.reader() as reader:
            return JSONResponse(schema_of(reader, context.examples))

    return [
        Route("/api/ask", ask, methods=["POST"]),
        Route("/api/ask/schema", schema),
    ]


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
