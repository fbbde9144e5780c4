"""``/api/health``: that the Observatory runs, and what it holds."""

from typing import Literal

from starlette.responses import JSONResponse, Response

from observatory import VERSION
from observatory.api.routing import Reading, new_router
from observatory.schemas.health import Health
from observatory.store import SCHEMA_VERSION

# DuckDB knows how many rows a table has without reading them.
HELD = """
select (select count(*) from raw_spans), (select count(*) from trace_digests),
    (select count(*) from raw_logs), (select max(raw_rows) from digest_state)
"""

router = new_router()


@router.get("/api/health", response_model=Health, summary="That it runs, and how much it holds")
def health(context: Reading) -> Response:
    with context.digests.reader() as reader:
        status: Literal["ok", "catching up"] = "ok" if context.digests.caught_up else "catching up"
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
