"""``/api/health``: that the Observatory runs, and what it holds."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observatory import VERSION
from observatory.api.context import Context
from observatory.api.operations import Operation
from observatory.schemas.health import Health
from observatory.store import SCHEMA_VERSION

OPERATIONS = (
    Operation("GET", "/api/health", "That it runs, and how much it holds", Health, errors={}),
)

# DuckDB knows how many rows a table has without reading them.
HELD = """
select (select count(*) from raw_spans), (select count(*) from trace_digests),
    (select count(*) from raw_logs), (select max(raw_rows) from digest_state)
"""


def routes(context: Context) -> list[Route]:
    """The routes of this module; their functions block, so Starlette runs them in threads."""

    def health(request: Request) -> Response:  # noqa: ARG001
        """That it runs, and how much it holds."""
        with context.digests.reader() as reader:
            status: Literal["ok", "catching up"] = (
                "ok" if context.digests.caught_up else "catching up"
            )
            spans, traces, logs, digested = reader.execute(HELD).fetchone() or (0, 0, 0, 0)
        answer: Health = {
            "service": "throughline-observatory",
            "status": status,
            "version": VERSION,
            "schema_version": SCHEMA_VERSION,
            "revision": context.revision,
            "spans": spans,
            "logs": logs,
            "traces": traces,
            "digested_spans": digested,
            "pending_bytes": context.budget.held_bytes,
            "source_root": str(context.sources.root),
            "editor": context.sources.address,
        }
        return JSONResponse(answer)

    return [Route("/api/health", health)]
