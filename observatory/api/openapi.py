"""``/api/openapi.json``: the API's description, which ``python -m observatory.api`` prints."""

import copy
import functools
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from observatory import VERSION
from observatory.api.routing import methods_of, new_router

ABOUT = """\
Everything that the explorer and `./scripts/trace` show. Telemetry itself comes in as OTLP over
HTTP at `/v1/traces`, `/v1/logs` and `/v1/metrics`, which the OpenTelemetry specification describes.

Whatever is asked for: a request for another host than this machine's, or one that was allowed, is
refused with 421, one that would change something from another page than the explorer with 403, and
a method that a path doesn't have with 405.
"""

router = new_router()


@functools.cache
def document() -> dict[str, Any]:
    """Return the description of every route of the API, as an OpenAPI 3.1 document."""
    from observatory.api import ROUTES  # noqa: PLC0415  # which has this module's route too

    described = []
    for route in ROUTES:
        if isinstance(route, APIRoute):
            described.append(copy.copy(route))
            described[-1].methods = methods_of(route)
    whole = get_openapi(
        title="Throughline Observatory", version=VERSION, description=ABOUT, routes=described
    )
    whole["paths"] = dict(sorted(whole["paths"].items()))
    _drop_titles(whole)
    return whole


def _drop_titles(node: Any) -> None:
    """Remove the titles of schemas, which only repeat the names of properties and types."""
    if isinstance(node, list):
        for each in node:
            _drop_titles(each)
    elif isinstance(node, dict):
        if "title" in node and "version" not in node and isinstance(node["title"], str):
            del node["title"]
        for each in node.values():
            _drop_titles(each)


@router.get(
    "/api/openapi.json",
    response_model=dict[str, Any],
    summary="This description, as OpenAPI 3.1",
)
async def openapi() -> Response:
    return JSONResponse(document())
