"""``/api/health``: the Observatory's status, and how much it stores."""

from typing import Literal

from starlette.responses import JSONResponse, Response

from observatory import VERSION
from observatory.api.routing import Reading, new_router
from observatory.schemas.health import Health
from observatory.store import SCHEMA_VERSION

# DuckDB answers count(*) from its metadata, without reading the rows.
STORED_ROWS = """
select (select count(*) from raw_spans), (select count(*) from digested_traces),
    (select count(*) from raw_logs), (select max(raw_rows) from digest_state)
"""

router = new_router()


@router.get("/api/health", response_model=Health, summary="Get the status, and how much is stored")
def health(context: Reading) -> Response:
    with context.digests.reader() as reader:
        status: Literal["ok", "catching up"] = "ok" if context.digests.caught_up else "catching up"
        spans, traces, logs, digested = reader.execute(STORED_ROWS).fetchone() or (0, 0, 0, 0)
    body: Health = {
        "service": "throughline-observatory",
        "status": status,
        "version": VERSION,
        "schema_version": SCHEMA_VERSION,
        "revision": context.revision,
        "spans": spans,
        "logs": logs,
        "traces": traces,
        "digested_spans": digested,
        "pending_bytes": context.budget.held_bytes + context.folding.pending_bytes,
        "grpc_port": context.grpc_port,
        "source_root": str(context.sources.root),
        "editor": context.sources.address,
    }
    return JSONResponse(body)
