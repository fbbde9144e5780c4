"""What the handlers of every API share: the store and the body of a request."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from cloud.deployment.google_error import GoogleError
from cloud.deployment.resources import Resource, Resources


def resources_of(request: Request) -> Resources:
    """Return the store of the server that received the request."""
    resources: Resources = request.app.state.resources
    return resources


def existing(request: Request, name: str, missing: str) -> Resource:
    """Return the resource of that name.

    Raises:
        GoogleError: there is none; its message is `missing`.
    """
    resource = resources_of(request).get(name)
    if resource is None:
        raise GoogleError(404, missing)
    return resource


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in the request's body; an empty body is an empty object.

    Raises:
        GoogleError: the body is not a JSON object.
    """
    raw = await request.body()
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise GoogleError(400, f"Invalid JSON payload received: {error}") from error
    if not isinstance(body, dict):
        raise GoogleError(400, "Invalid JSON payload received: it must be an object.")
    return body
