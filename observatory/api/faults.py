"""``/api/faults``: the bugs on purpose of the observed app, and their flags."""

import difflib
from typing import Annotated, Any

from fastapi import Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observatory.api.responses import NO_STORE, BadRequest, error, json_body
from observatory.api.routing import Reading, json_body_of, new_router, refusals
from observatory.feature_flags.fault_flags import FaultFlags
from observatory.feature_flags.flags import FlagsUnreachable
from observatory.schemas.faults import AllOff, Faults, Turn

BODY_LIMIT_BYTES = 2**20
NOT_CONNECTED = (
    "This Observatory was told of no app's faults: ./scripts/dev starts one that was, or see "
    "--faults in python -m observatory --help."
)
UNREACHABLE = "`flags_unreachable`: the flags can't be read or written; the message says why"
NO_FLAGS = "`not_connected`: this Observatory was told of no app's faults"

router = new_router()


@router.get("/api/faults", response_model=Faults, summary="Every fault, and whether it is on")
def faults(context: Reading) -> Response:
    return JSONResponse(_all(context.fault_flags), headers=NO_STORE)


@router.put(
    "/api/faults",
    response_model=Faults,
    summary="Every fault, now that all are off",
    responses=refusals({400: "The body says something else", 409: NO_FLAGS, 503: UNREACHABLE}),
    openapi_extra=json_body_of(AllOff),
)
async def all_off(context: Reading, request: Request) -> Response:
    body = await json_body(request, BODY_LIMIT_BYTES)
    if body != {"on": False} or body["on"] is not False:
        raise BadRequest('To turn every fault off, the body says {"on": false}.')
    if context.fault_flags is None:
        return error(409, "not_connected", NOT_CONNECTED)
    return await run_in_threadpool(_turn, context.fault_flags, None, False)


@router.put(
    "/api/faults/{name}",
    response_model=Faults,
    summary="Every fault, now that this one is as it was asked to be",
    responses=refusals(
        {
            400: "The body says something else",
            404: "There is no fault of that name",
            409: f"{NO_FLAGS}; or `no_flag`: the fault is on by its page's address",
            503: UNREACHABLE,
        }
    ),
    openapi_extra=json_body_of(Turn),
)
async def turn(
    context: Reading,
    request: Request,
    name: Annotated[str, Path(description="The fault's name")],
) -> Response:
    body = await json_body(request, BODY_LIMIT_BYTES)
    on = _wanted(body)
    fault_flags = context.fault_flags
    if fault_flags is None:
        return error(409, "not_connected", NOT_CONNECTED)
    fault = fault_flags.fault(name)
    if fault is None:
        return error(404, "no_such_fault", _no_such(fault_flags, name))
    if fault.address is not None:
        link = fault_flags.link(fault)
        message = f"{name} has no flag: it is on where the page is opened at {link}."
        return error(409, "no_flag", message)
    return await run_in_threadpool(_turn, fault_flags, name, on)


def _turn(fault_flags: FaultFlags, name: str | None, on: bool) -> Response:
    try:
        if name is None:
            fault_flags.turn_all_off()
        else:
            fault_flags.flags.turn(name, on)
    except FlagsUnreachable as unreachable:
        return error(503, "flags_unreachable", str(unreachable))
    return JSONResponse(_all(fault_flags), headers=NO_STORE)


def _all(fault_flags: FaultFlags | None) -> Faults:
    if fault_flags is None:
        return {"connected": False, "unreachable": None, "faults": []}
    why: str | None = None
    on: frozenset[str] | None = None
    try:
        on = fault_flags.on()
    except FlagsUnreachable as unreachable:
        why = str(unreachable)
    return {
        "connected": True,
        "unreachable": why,
        "faults": [
            {
                "name": fault.name,
                "kind": fault.kind,
                "where": fault.where,
                "summary": fault.summary,
                "scenarios": list(fault.scenarios),
                "on": None if on is None or fault.address is not None else fault.name in on,
                "link": fault_flags.link(fault),
            }
            for fault in fault_flags.faults
        ],
    }


def _wanted(body: Any) -> bool:
    on = body.get("on") if isinstance(body, dict) else None
    if not isinstance(on, bool):
        raise BadRequest('A fault is turned with {"on": true} or {"on": false}.')
    return on


def _no_such(fault_flags: FaultFlags, name: str) -> str:
    names = [fault.name for fault in fault_flags.faults]
    near = difflib.get_close_matches(name, names)
    return f"There is no fault {name!r}" + (f": did you mean {' or '.join(near)}?" if near else ".")
