"""``/api/storage`` and ``/api/clear``: how much is kept, and an end to it."""

import json
import resource
import sys
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observatory.api.context import Context
from observatory.api.responses import NO_STORE, BadRequest, json_body
from observatory.api.routing import Reading, json_body_of, new_router, refusals
from observatory.journey.journey import timestamp
from observatory.schemas.storage import Cleared, Confirmation, Storage

CONFIRMED = {"confirm": "clear"}
BODY_LIMIT_BYTES = 2**20
# What this process takes of the memory, in pages; Linux says it.
STATM = Path("/proc/self/statm")

router = new_router()


@router.get(
    "/api/storage",
    response_model=Storage,
    summary="How much is stored, where, and for how long",
)
def storage(context: Reading) -> Response:
    return JSONResponse(storage_of(context), headers=NO_STORE)


@router.post(
    "/api/clear",
    response_model=Cleared,
    summary="What was deleted, which is everything",
    responses=refusals({400: "The body doesn't confirm it", 413: "The body is larger than 1 MiB"}),
    openapi_extra=json_body_of(Confirmation),
)
async def clear(context: Reading, request: Request) -> Response:
    # The body confirms it, so that no slip deletes everything.
    if await json_body(request, BODY_LIMIT_BYTES) != CONFIRMED:
        raise BadRequest(f"To delete everything, the body says {json.dumps(CONFIRMED)}.")
    return JSONResponse(await run_in_threadpool(_clear, context), headers=NO_STORE)


def _clear(context: Context) -> Cleared:
    before = storage_of(context)
    context.store.clear()
    context.digests.refresh()
    context.store.checkpoint()  # the room that the digests took is given back too
    return {"spans": before["spans"], "logs": before["logs"], "metrics": before["metrics"]}


def storage_of(context: Context) -> Storage:
    """How much the store holds now."""
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
