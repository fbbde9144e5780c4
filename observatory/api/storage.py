"""``/api/storage`` and ``/api/clear``: how much is stored, and deleting all of it."""

import json
import resource
import sys
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observatory.api.context import Context
from observatory.api.responses import NO_STORE, BadRequest, json_body
from observatory.api.routing import Reading, error_responses, json_body_of, new_router
from observatory.journey.journey import timestamp
from observatory.schemas.storage import Cleared, Confirmation, Storage

CONFIRMATION = {"confirm": "clear"}
BODY_LIMIT_BYTES = 2**20
# The memory use of this process in pages; only on Linux.
STATM = Path("/proc/self/statm")

router = new_router()


@router.get(
    "/api/storage",
    response_model=Storage,
    summary="Get how much is stored, where, and for how long",
)
def storage(context: Reading) -> Response:
    return JSONResponse(storage_of(context), headers=NO_STORE)


@router.post(
    "/api/clear",
    response_model=Cleared,
    summary="Delete all telemetry",
    responses=error_responses(
        {400: "The confirmation is missing", 413: "The body is larger than 1 MiB"}
    ),
    openapi_extra=json_body_of(Confirmation),
)
async def clear(context: Reading, request: Request) -> Response:
    # A confirmation, so that a mistaken request does not delete everything.
    if await json_body(request, BODY_LIMIT_BYTES) != CONFIRMATION:
        raise BadRequest(
            f"The body must be {json.dumps(CONFIRMATION)}, which deletes all telemetry."
        )
    return JSONResponse(await run_in_threadpool(_clear, context), headers=NO_STORE)


def _clear(context: Context) -> Cleared:
    before = storage_of(context)
    context.store.clear()
    context.digests.refresh()
    context.store.checkpoint()  # frees the space of the digests too
    return {"spans": before["spans"], "logs": before["logs"], "metrics": before["metrics"]}


def storage_of(context: Context) -> Storage:
    """Return how much is stored now."""
    with context.store.reader() as reader:
        spans, traces, oldest, newest = reader.execute(
            "select count(*), count(distinct trace_key), min(start_unix_nano), "
            "max(start_unix_nano) from raw_spans"
        ).fetchone() or (0, 0, None, None)
        (logs,) = reader.execute("select count(*) from raw_logs").fetchone() or (0,)
        (metrics,) = reader.execute("select count(*) from raw_metrics").fetchone() or (0,)
    limits = context.retention.limits
    return {
        "path": str(context.store.path),
        "spans": spans,
        "logs": logs,
        "metrics": metrics,
        "traces": traces,
        "file_bytes": context.store.file_bytes(),
        "memory_bytes": _memory_bytes(),
        "oldest": None if oldest is None else timestamp(oldest),
        "newest": None if newest is None else timestamp(newest),
        "retention": {"age_hours": limits.age_hours, "size_mb": limits.size_mb},
    }


def _memory_bytes() -> int:
    if STATM.exists():
        return int(STATM.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
