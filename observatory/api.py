"""The JSON API under ``/api``: everything that the explorer and the scripts know, they ask here."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory import VERSION
from observatory.budget import Budget
from observatory.shapes import Health
from observatory.store import SCHEMA_VERSION, Store
from observatory.survey import Filter, coverage_of_everything, list_traces, read_journey

DEFAULT_LIMIT = 50
LIMIT_MAX = 500
TRACE_ID = re.compile(r"[0-9a-f]{32}")
HEX_PREFIX = re.compile(r"[0-9a-fA-F]{1,32}")
LIST_PARAMETERS = ("limit", "order_id", "trace_id_prefix", "service", "q")


class BadRequest(Exception):
    """A request that names something wrongly; the message says what and what would be right."""


class Api:
    """The routes under ``/api``, over one store."""

    def __init__(self, store: Store, budget: Budget, boot: str) -> None:
        self._store = store
        self._budget = budget
        self._boot = boot

    @property
    def routes(self) -> list[Route]:
        """The routes; their functions block, so Starlette runs them in threads."""
        return [
            Route("/api/health", self.health),
            Route("/api/traces", self.traces),
            Route("/api/traces/{trace_id}", self.trace),
            Route("/api/coverage", self.coverage),
            Route("/api/{rest:path}", self.unknown),
        ]

    def health(self, request: Request) -> Response:  # noqa: ARG002
        """That it runs, and how much it holds."""
        with self._store.reader() as reader:
            spans, traces = reader.execute(
                "select count(*), count(distinct trace_id) from raw_spans"
            ).fetchone() or (0, 0)
            (logs,) = reader.execute("select count(*) from raw_logs").fetchone() or (0,)
        health: Health = {
            "service": "throughline-observatory",
            "status": "ok",
            "version": VERSION,
            "schema_version": SCHEMA_VERSION,
            "revision": self._revision,
            "spans": spans,
            "logs": logs,
            "traces": traces,
            "pending_bytes": self._budget.held_bytes,
        }
        return JSONResponse(health)

    def traces(self, request: Request) -> Response:
        """The newest traces that match, newest first."""
        revision = self._revision  # before the query: a later commit then makes a later answer
        etag = f'"{revision}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        filter_, limit = _list_query(request)
        with self._store.reader() as reader:
            total, traces = list_traces(reader, filter_, limit)
        answer = {"revision": revision, "total": total, "traces": traces}
        return JSONResponse(answer, headers={"ETag": etag, "Cache-Control": "no-cache"})

    def trace(self, request: Request) -> Response:
        """One trace as a journey."""
        trace_id = request.path_params["trace_id"].lower()
        if TRACE_ID.fullmatch(trace_id) is None:
            raise BadRequest(f"{trace_id!r} is no trace id: it has 32 hexadecimal digits.")
        with self._store.reader() as reader:
            journey = read_journey(reader, trace_id)
        if journey is None:
            return error(404, "trace_not_found", f"No span of trace {trace_id} is stored.")
        return JSONResponse(journey, headers={"Cache-Control": "no-store"})

    def coverage(self, request: Request) -> Response:  # noqa: ARG002
        """Context coverage over everything stored."""
        with self._store.reader() as reader:
            coverage = coverage_of_everything(reader)
        return JSONResponse(coverage, headers={"Cache-Control": "no-store"})

    def unknown(self, request: Request) -> Response:
        """Any other path under ``/api``."""
        return error(404, "not_found", f"There is no {request.url.path} in this API.")

    @property
    def _revision(self) -> str:
        # Revisions count from each start, so the start is part of them.
        return f"{self._boot}-{self._store.revision}"


def error(http_status: int, code: str, message: str) -> JSONResponse:
    """An error as every route of the API answers it: ``{"error": {"code", "message"}}``."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=http_status)


def bad_request(request: Request, exc: Exception) -> Response:  # noqa: ARG001
    """Turns a ``BadRequest`` into its answer; Starlette's exception handler."""
    return error(400, "bad_request", str(exc))


def _list_query(request: Request) -> tuple[Filter, int]:
    query: dict[str, Any] = dict(request.query_params)
    for name in query:
        if name not in LIST_PARAMETERS:
            known = ", ".join(LIST_PARAMETERS)
            raise BadRequest(f"There is no parameter {name!r}: known are {known}.")
    limit = query.get("limit", str(DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= LIMIT_MAX):
        raise BadRequest(f"limit is {limit!r}: it is a number from 1 to {LIMIT_MAX}.")
    prefix = query.get("trace_id_prefix") or None
    if prefix is not None and HEX_PREFIX.fullmatch(prefix) is None:
        raise BadRequest(f"trace_id_prefix is {prefix!r}: it has 1 to 32 hexadecimal digits.")
    filter_ = Filter(
        order_id=query.get("order_id") or None,
        trace_id_prefix=prefix,
        service=query.get("service") or None,
        text=query.get("q") or None,
    )
    return filter_, int(limit)
