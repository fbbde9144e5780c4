"""``/api/faults``: the faults of the observed app, and their feature flags."""

import difflib
from typing import Annotated, Any

from fastapi import Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observatory.api.responses import NO_STORE, BadRequest, error, json_body
from observatory.api.routing import Reading, error_responses, json_body_of, new_router
from observatory.feature_flags.fault_flags import FaultFlags
from observatory.feature_flags.flags import FlagsUnreachable
from observatory.schemas.faults import AllFaultsOff, Faults, FaultState

BODY_LIMIT_BYTES = 2**20
NOT_CONNECTED = (
    "This Observatory was started without an app's faults: run ./scripts/dev, or see --faults in "
    "python -m observatory --help."
)
UNREACHABLE = "`flags_unreachable`: the flags cannot be read or written"
NO_FLAGS = "`not_connected`: this Observatory was started without an app's faults"
INVALID_BODY = "The body is not the described one"

router = new_router()


@router.get("/api/faults", response_model=Faults, summary="List the faults, and which are on")
def faults(context: Reading) -> Response:
    return JSONResponse(_all(context.fault_flags), headers=NO_STORE)


@router.put(
    "/api/faults",
    response_model=Faults,
    summary="FaultState every fault off",
    responses=error_responses({400: INVALID_BODY, 409: NO_FLAGS, 503: UNREACHABLE}),
    openapi_extra=json_body_of(AllFaultsOff),
)
async def turn_all_off(context: Reading, request: Request) -> Response:
    body = await json_body(request, BODY_LIMIT_BYTES)
    if body != {"on": False} or body["on"] is not False:
        raise BadRequest('The body must be {"on": false}, which turns every fault off.')
    if context.fault_flags is None:
        return error(409, "not_connected", NOT_CONNECTED)
    return await run_in_threadpool(_turn, context.fault_flags, None, False)


@router.put(
    "/api/faults/{name}",
    response_model=Faults,
    summary="FaultState one fault on or off",
    responses=error_responses(
        {
            400: INVALID_BODY,
            404: "`no_such_fault`: no fault has this name",
            409: f"{NO_FLAGS}; or `no_flag`: the fault is turned on by a page's URL",
            503: UNREACHABLE,
        }
    ),
    openapi_extra=json_body_of(FaultState),
)
async def set_fault(
    context: Reading,
    request: Request,
    name: Annotated[str, Path(description="The fault's name")],
) -> Response:
    body = await json_body(request, BODY_LIMIT_BYTES)
    on = _on(body)
    fault_flags = context.fault_flags
    if fault_flags is None:
        return error(409, "not_connected", NOT_CONNECTED)
    fault = fault_flags.fault(name)
    if fault is None:
        return error(404, "no_such_fault", _no_such(fault_flags, name))
    if fault.address is not None:
        link = fault_flags.link(fault)
        message = f"{name} has no flag: open the page at {link} to turn it on."
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
    reason: str | None = None
    on: frozenset[str] | None = None
    try:
        on = fault_flags.on()
    except FlagsUnreachable as unreachable:
        reason = str(unreachable)
    return {
        "connected": True,
        "unreachable": reason,
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


def _on(body: Any) -> bool:
    on = body.get("on") if isinstance(body, dict) else None
    if not isinstance(on, bool):
        raise BadRequest('The body must be {"on": true} or {"on": false}.')
    return on


def _no_such(fault_flags: FaultFlags, name: str) -> str:
    names = [fault.name for fault in fault_flags.faults]
    similar = difflib.get_close_matches(name, names)
    hint = f"did you mean {' or '.join(similar)}?" if similar else "/api/faults lists them."
    return f"There is no fault {name!r}: {hint}"
