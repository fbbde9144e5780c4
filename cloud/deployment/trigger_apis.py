"""What triggers functions: topics, queues, schedules, event channels and blocking functions."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.deployment.api import body_of, existing, resources_of
from cloud.deployment.google_error import GoogleError
from cloud.deployment.project_apis import RESOURCE_MANAGER_ROUTES


async def create_named(request: Request) -> Response:
    """Create the resource that the path names, such as a topic."""
    name = request.path_params["name"]
    if resources_of(request).get(name):
        raise GoogleError(409, f"Resource already exists in the project ({name}).")
    return JSONResponse(resources_of(request).put(name, {**await body_of(request), "name": name}))


async def create_in_collection(request: Request) -> Response:
    """Create a resource that the body names, such as a queue or a scheduler job."""
    resource = await body_of(request)
    name = resource.get("name")
    if not isinstance(name, str) or not name.startswith(request.path_params["name"] + "/"):
        raise GoogleError(400, "The resource must have a name in the collection of the request.")
    if resources_of(request).get(name):
        raise GoogleError(409, f"Resource already exists ({name}).")
    return JSONResponse(resources_of(request).put(name, resource))


async def get(request: Request) -> Response:
    """Return a resource by its name."""
    name = request.path_params["name"]
    return JSONResponse(existing(request, name, f"Requested entity was not found ({name})."))


async def update(request: Request) -> Response:
    """Change the fields of a resource that the request's mask, or else its body, names."""
    name, changes = request.path_params["name"], await body_of(request)
    resource = existing(request, name, f"Requested entity was not found ({name}).")
    return JSONResponse(resources_of(request).put(name, {**resource, **changes}))


async def delete(request: Request) -> Response:
    """Delete a resource."""
    if not resources_of(request).delete(request.path_params["name"]):
        raise GoogleError(404, f"Requested entity was not found ({request.path_params['name']}).")
    return JSONResponse({})


async def purge_queue(request: Request) -> Response:
    """Accept the purge of a queue: no tasks are stored before the deployment runs."""
    return await get(request)


async def create_channel(request: Request) -> Response:
    """Create an Eventarc channel."""
    place = request.path_params["name"]
    name = f"{place}/channels/{request.query_params['channelId']}"
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    channel = {**await body_of(request), "name": name, "state": "ACTIVE", "createTime": now}
    created = resources_of(request).put(name, channel)
    operation = f"{place}/operations/{secrets.token_hex(8)}"
    finished = {"name": operation, "done": True, "response": created}
    return JSONResponse(resources_of(request).put(operation, finished))


async def get_identity_config(request: Request) -> Response:
    """Return the configuration of Identity Platform, which is enabled."""
    stored = resources_of(request).get(_identity_config(request)) or {}
    return JSONResponse({"subtype": "IDENTITY_PLATFORM", **stored})


async def update_identity_config(request: Request) -> Response:
    """Change the configuration of Identity Platform, such as its blocking functions."""
    name = _identity_config(request)
    config = {**(resources_of(request).get(name) or {}), **await body_of(request)}
    return JSONResponse(resources_of(request).put(name, config))


def _identity_config(request: Request) -> str:
    return f"projects/{request.app.state.project}/identityConfig"


_IDENTITY_CONFIG = "/admin/v2/projects/{project}/config"

PUBSUB_ROUTES = [
    *RESOURCE_MANAGER_ROUTES[:3],
    Route("/v1/{name:path}", create_named, methods=["PUT"]),
    Route("/v1/{name:path}", get),
    Route("/v1/{name:path}", update, methods=["PATCH"]),
    Route("/v1/{name:path}", delete, methods=["DELETE"]),
]
CLOUD_TASKS_ROUTES = [
    *RESOURCE_MANAGER_ROUTES[:3],
    Route("/v2/{name:path}:purge", purge_queue, methods=["POST"]),
    Route("/v2/{name:path}", create_in_collection, methods=["POST"]),
    Route("/v2/{name:path}", get),
    Route("/v2/{name:path}", update, methods=["PATCH"]),
    Route("/v2/{name:path}", delete, methods=["DELETE"]),
]
CLOUD_SCHEDULER_ROUTES = [
    Route("/v1/{name:path}", create_in_collection, methods=["POST"]),
    Route("/v1/{name:path}", get),
    Route("/v1/{name:path}", update, methods=["PATCH"]),
    Route("/v1/{name:path}", delete, methods=["DELETE"]),
]
EVENTARC_ROUTES = [
    Route("/v1/{name:path}/channels", create_channel, methods=["POST"]),
    Route("/v1/{name:path}", get),
    Route("/v1/{name:path}", delete, methods=["DELETE"]),
]
IDENTITY_TOOLKIT_ROUTES = [
    Route(_IDENTITY_CONFIG, get_identity_config),
    Route(_IDENTITY_CONFIG, update_identity_config, methods=["PATCH"]),
]
