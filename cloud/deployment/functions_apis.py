"""Cloud Functions v2, the Cloud Run services behind functions, uploads and their images."""

from __future__ import annotations

import re
import secrets
import zipfile
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.deployment.api import body_of, existing, resources_of
from cloud.deployment.google_error import GoogleError
from cloud.deployment.project_apis import (
    DEFAULT_SERVICE_ACCOUNT,
    PROJECT_NUMBER,
    RESOURCE_MANAGER_ROUTES,
)

# The longest source that one deployment may upload, compressed.
# https://docs.cloud.google.com/functions/quotas (max deployment size; stated for the upload)
UPLOAD_MAX_BYTES = 100 * 1024 * 1024


async def list_functions(request: Request) -> Response:
    """List the functions of every region, or of one."""
    location = request.path_params["location"]
    location = "*" if location == "-" else location
    pattern = f"projects/{request.app.state.project}/locations/{location}/functions/*"
    return JSONResponse({"functions": list(resources_of(request).list(pattern))})


async def list_first_generation(_request: Request) -> Response:
    """Report that there are no 1st generation functions, which are not simulated."""
    return JSONResponse({"functions": []})


async def generate_upload_url(request: Request) -> Response:
    """Return where to upload the functions' source to."""
    location = request.path_params["location"]
    source = {
        "bucket": f"gcf-v2-uploads-{PROJECT_NUMBER}-{location}",
        "object": f"{secrets.token_hex(16)}.zip",
    }
    url = f"{request.base_url}upload/{source['bucket']}/{source['object']}?GoogleAccessId=rehearsal"
    return JSONResponse({"uploadUrl": url, "storageSource": source})


async def upload(request: Request) -> Response:
    """Store an uploaded source, which must be a ZIP archive."""
    bucket, name = request.path_params["bucket"], request.path_params["name"]
    path = resources_of(request).upload_path(f"{bucket}/{name}")
    size_bytes = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size_bytes += len(chunk)
            if size_bytes > UPLOAD_MAX_BYTES:
                raise GoogleError(400, f"The source exceeds {UPLOAD_MAX_BYTES} bytes.")
            file.write(chunk)
    if not zipfile.is_zipfile(path):
        raise GoogleError(400, "The uploaded source is not a ZIP archive.")
    return Response(headers={"x-goog-generation": "1"})


async def create_function(request: Request) -> Response:
    """Create a function from an uploaded source."""
    location, project = request.path_params["location"], request.app.state.project
    name = f"projects/{project}/locations/{location}/functions/{request.query_params['functionId']}"
    if resources_of(request).get(name):
        raise GoogleError(409, f"Resource '{name}' already exists.")
    return _deploy(request, name, await body_of(request))


async def update_function(request: Request) -> Response:
    """Deploy a new version of a function.

    Only a Pub/Sub function's topic is kept, because the CLI leaves it out of an update.
    """
    name = _function_name(request)
    before = _existing_function(request, name)
    function = {**before, **await body_of(request)}
    if revision := before["serviceConfig"].get("revision"):
        function["serviceConfig"] = {**function["serviceConfig"], "revision": revision}
    if topic := before.get("eventTrigger", {}).get("pubsubTopic"):
        function["eventTrigger"] = {"pubsubTopic": topic, **function.get("eventTrigger", {})}
    return _deploy(request, name, function)


async def get_function(request: Request) -> Response:
    """Return a function's description."""
    return JSONResponse(_existing_function(request, _function_name(request)))


async def delete_function(request: Request) -> Response:
    """Delete a function and the policy of its service."""
    name = _function_name(request)
    function = _existing_function(request, name)
    resources_of(request).delete(name)
    resources_of(request).delete(f"{function['serviceConfig']['service']}/policy")
    return _finished(request, name, {"@type": "type.googleapis.com/google.protobuf.Empty"})


async def get_operation(request: Request) -> Response:
    """Return an operation; each is finished when it is returned first."""
    name = f"projects/{request.path_params['name']}"
    return JSONResponse(existing(request, name, f"Operation '{name}' not found."))


async def get_repository(request: Request) -> Response:
    """Return the repository of the functions' images, with its clean-up policies."""
    name = _repository_name(request)
    repository = {"name": name, "format": "DOCKER"}
    return JSONResponse(resources_of(request).get(name) or repository)


async def update_repository(request: Request) -> Response:
    """Store the clean-up policies of the functions' images."""
    name = _repository_name(request)
    repository = {"name": name, "format": "DOCKER", **await body_of(request)}
    return JSONResponse(resources_of(request).put(name, repository))


def _deploy(request: Request, name: str, function: dict[str, Any]) -> Response:
    """Store a function with what the platform adds to it: addresses, revision and defaults."""
    project, location, short_name = _parts(name)
    source = function.get("buildConfig", {}).get("source", {}).get("storageSource", {})
    archive = f"{source.get('bucket')}/{source.get('object')}"
    if not resources_of(request).upload_path(archive).is_file():
        raise GoogleError(400, f"The source gs://{archive} was not uploaded.")
    # The CLI sends null for settings that the code leaves to the platform.
    config = function["serviceConfig"] = _without_nulls(function["serviceConfig"])
    service = re.sub("[^a-z0-9-]", "-", short_name.lower())
    deployed_before = re.search(r"-(\d{5})-\w+$", config.get("revision", ""))
    generation = int(deployed_before[1]) + 1 if deployed_before else 1
    config |= {
        "service": f"projects/{project}/locations/{location}/services/{service}",
        "uri": f"https://{service}-{PROJECT_NUMBER}.{location}.run.app",
        "revision": f"{service}-{generation:05}-{secrets.token_hex(2)[:3]}",
        "allTrafficOnLatestRevision": True,
    }
    config.setdefault("serviceAccountEmail", DEFAULT_SERVICE_ACCOUNT)
    if function.get("eventTrigger"):
        trigger = function["eventTrigger"] = _without_nulls(function["eventTrigger"])
        trigger.setdefault("serviceAccountEmail", config["serviceAccountEmail"])
        trigger["trigger"] = f"projects/{project}/locations/{location}/triggers/{service}"
    function |= {
        "name": name,
        "state": "ACTIVE",
        "environment": "GEN_2",
        "url": f"https://{location}-{project}.cloudfunctions.net/{short_name}",
        "updateTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    resources_of(request).put(name, function)
    return _finished(request, name, function)


def _without_nulls(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _finished(request: Request, name: str, response: dict[str, Any]) -> Response:
    project, location, _ = _parts(name)
    operation = f"projects/{project}/locations/{location}/operations/{secrets.token_hex(8)}"
    finished = {"name": operation, "done": True, "response": response}
    return JSONResponse(resources_of(request).put(operation, finished))


def _parts(name: str) -> tuple[str, str, str]:
    _, project, _, location, _, short_name = name.split("/")
    return project, location, short_name


def _function_name(request: Request) -> str:
    place = f"projects/{request.app.state.project}/locations/{request.path_params['location']}"
    return f"{place}/functions/{request.path_params['function']}"


def _existing_function(request: Request, name: str) -> dict[str, Any]:
    return existing(request, name, f"Resource '{name}' was not found")


def _repository_name(request: Request) -> str:
    place = f"projects/{request.app.state.project}/locations/{request.path_params['location']}"
    return f"{place}/repositories/{request.path_params['repository']}"


_FUNCTIONS = "/v2/projects/{project}/locations/{location}/functions"
_REPOSITORY = "/v1/projects/{project}/locations/{location}/repositories/{repository}"

CLOUD_FUNCTIONS_ROUTES = [
    Route("/v1/projects/{project}/locations/{location}/functions", list_first_generation),
    Route(f"{_FUNCTIONS}:generateUploadUrl", generate_upload_url, methods=["POST"]),
    Route(_FUNCTIONS, list_functions),
    Route(_FUNCTIONS, create_function, methods=["POST"]),
    Route(f"{_FUNCTIONS}/{{function}}", get_function),
    Route(f"{_FUNCTIONS}/{{function}}", update_function, methods=["PATCH"]),
    Route(f"{_FUNCTIONS}/{{function}}", delete_function, methods=["DELETE"]),
    Route("/v2/projects/{name:path}", get_operation),
]
UPLOAD_ROUTES = [Route("/{bucket}/{name}", upload, methods=["PUT"])]
CLOUD_RUN_ROUTES = RESOURCE_MANAGER_ROUTES[:3]
ARTIFACT_REGISTRY_ROUTES = [
    Route(_REPOSITORY, get_repository),
    Route(_REPOSITORY, update_repository, methods=["PATCH"]),
]
