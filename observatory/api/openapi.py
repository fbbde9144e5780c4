"""``/api/openapi.json``: the OpenAPI document, which ``python -m observatory.api`` prints too."""

import functools
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from observatory import VERSION
from observatory.api.routing import ReadableRoute, new_router

ABOUT = """\
The API that the explorer and `./scripts/trace` use. Telemetry is received as OTLP over HTTP at
`/v1/traces`, `/v1/logs` and `/v1/metrics`, which the OpenTelemetry specification describes.

On every path: 421 when the `Host` is neither this machine nor given with `--allow-host`, 403 when a
web page other than the explorer sends a request that changes data, and 405 for a method that the
path does not have.
"""

router = new_router()


@functools.cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every route of the API."""
    from observatory.api import ROUTES  # noqa: PLC0415  # a cycle: ROUTES has this route

    description = get_openapi(
        title="Throughline Observatory",
        version=VERSION,
        description=ABOUT,
        routes=[route.documented() for route in ROUTES if isinstance(route, ReadableRoute)],
    )
    description["paths"] = dict(sorted(description["paths"].items()))
    _drop_titles(description)
    return description


def _drop_titles(node: Any) -> None:
    """Remove the titles of schemas, which repeat the names of properties and types."""
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
    summary="Get this document, in OpenAPI 3.1",
)
async def openapi() -> Response:
    return JSONResponse(document())
