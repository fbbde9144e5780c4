"""Firestore's databases, indexes and fields, and the rulesets of Firebase Rules.

The rules are stored, not compiled: the Firestore emulator that runs the deployment compiles them.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.deployment.api import body_of, existing, resources_of
from cloud.deployment.google_error import GoogleError


async def get_database(request: Request) -> Response:
    """Return a database, which a project lacks until the CLI creates it."""
    name = _database_name(request)
    return JSONResponse(existing(request, name, f"The database {name} does not exist."))


async def create_database(request: Request) -> Response:
    """Create a database in a location."""
    database = await body_of(request)
    name = f"projects/{request.app.state.project}/databases/{request.query_params['databaseId']}"
    if resources_of(request).get(name):
        raise GoogleError(409, "Database already exists. Please use another database_id")
    database = resources_of(request).put(name, {**database, "name": name})
    operation = f"{name}/operations/{secrets.token_hex(8)}"
    finished = {"name": operation, "done": True, "response": database}
    return JSONResponse(resources_of(request).put(operation, finished))


async def get_operation(request: Request) -> Response:
    """Return an operation; each is finished when it is returned first."""
    name = f"{_database_name(request)}/operations/{request.path_params['operation']}"
    return JSONResponse(existing(request, name, f"Operation {name} was not found."))


async def list_indexes(request: Request) -> Response:
    """List the composite indexes of every collection group."""
    pattern = f"{_database_name(request)}/collectionGroups/*/indexes/*"
    return JSONResponse({"indexes": list(resources_of(request).list(pattern))})


async def create_index(request: Request) -> Response:
    """Create a composite index; it is ready at once, where production builds it first."""
    index, group = await body_of(request), request.path_params["group"]
    if not isinstance(index.get("fields"), list) or not index["fields"]:
        raise GoogleError(400, "The index must have fields.")
    parent = f"{_database_name(request)}/collectionGroups/{group}/indexes"
    for other in resources_of(request).list(f"{parent}/*"):
        if (other["fields"], other.get("queryScope")) == (index["fields"], index.get("queryScope")):
            raise GoogleError(409, "index already exists")
    name = f"{parent}/{secrets.token_hex(8)}"
    index = resources_of(request).put(name, {**index, "name": name, "state": "READY"})
    return JSONResponse({"name": f"{name}/operation", "done": True, "response": index})


async def delete_index(request: Request) -> Response:
    """Delete a composite index."""
    group, index = request.path_params["group"], request.path_params["index"]
    name = f"{_database_name(request)}/collectionGroups/{group}/indexes/{index}"
    if not resources_of(request).delete(name):
        raise GoogleError(404, f"Index {name} was not found.")
    return JSONResponse({})


async def list_fields(request: Request) -> Response:
    """List the fields with settings of their own: single-field indexes or a TTL policy."""
    pattern = f"{_database_name(request)}/collectionGroups/*/fields/*"
    return JSONResponse({"fields": list(resources_of(request).list(pattern))})


async def update_field(request: Request) -> Response:
    """Change a field's single-field indexes or TTL policy; without both it has no settings."""
    field, changes = request.path_params["field"], await body_of(request)
    name = (
        f"{_database_name(request)}/collectionGroups/{request.path_params['group']}/fields/{field}"
    )
    if changes.get("indexConfig") or "ttlConfig" in changes:
        resources_of(request).put(name, {**changes, "name": name})
    else:
        resources_of(request).delete(name)
    return JSONResponse({"name": f"{name}/operation", "done": True, "response": {"name": name}})


async def test_ruleset(request: Request) -> Response:
    """Accept rules without compiling them; see the module's description."""
    _source(await body_of(request))
    return JSONResponse({"issues": []})


async def create_ruleset(request: Request) -> Response:
    """Store a ruleset."""
    name = f"projects/{request.app.state.project}/rulesets/{secrets.token_hex(16)}"
    ruleset = {"name": name, "source": _source(await body_of(request)), "createTime": _now()}
    return JSONResponse(resources_of(request).put(name, ruleset))


async def get_ruleset(request: Request) -> Response:
    """Return a ruleset."""
    name = f"projects/{request.app.state.project}/rulesets/{request.path_params['ruleset']}"
    return JSONResponse(existing(request, name, f"Ruleset {name} was not found."))


async def list_rulesets(request: Request) -> Response:
    """List the rulesets."""
    pattern = f"projects/{request.app.state.project}/rulesets/*"
    return JSONResponse({"rulesets": list(resources_of(request).list(pattern))})


async def list_releases(request: Request) -> Response:
    """List which ruleset is in force for which service."""
    pattern = f"projects/{request.app.state.project}/releases/*"
    return JSONResponse({"releases": list(resources_of(request).list(pattern))})


async def create_release(request: Request) -> Response:
    """Put a ruleset in force."""
    return _release(request, await body_of(request), exists=False)


async def update_release(request: Request) -> Response:
    """Put another ruleset in force."""
    return _release(request, (await body_of(request)).get("release", {}), exists=True)


def _release(request: Request, release: dict[str, str], *, exists: bool) -> Response:
    name, ruleset = release.get("name", ""), release.get("rulesetName", "")
    if not name or not resources_of(request).get(ruleset):
        raise GoogleError(400, f"Ruleset {ruleset!r} does not exist.")
    before = resources_of(request).get(name)
    if exists and before is None:
        raise GoogleError(404, f"Release {name} was not found.")
    created = (before or {}).get("createTime", _now())
    release = {"createTime": created, **release, "updateTime": _now()}
    return JSONResponse(resources_of(request).put(name, release))


def _source(body: dict[str, dict[str, object]]) -> dict[str, object]:
    source = body.get("source", {})
    if not source.get("files"):
        raise GoogleError(400, "The ruleset has no files.")
    return source


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _database_name(request: Request) -> str:
    database: str = request.path_params["database"]
    if not re.fullmatch(r"\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]", database):
        raise GoogleError(400, f"{database!r} is not a database's id.")
    return f"projects/{request.app.state.project}/databases/{database}"


_DATABASE = "/v1/projects/{project}/databases/{database}"
_GROUP = f"{_DATABASE}/collectionGroups/{{group}}"

FIRESTORE_ROUTES = [
    Route("/v1/projects/{project}/databases", create_database, methods=["POST"]),
    Route(_DATABASE, get_database),
    Route(f"{_DATABASE}/operations/{{operation}}", get_operation),
    Route(f"{_DATABASE}/collectionGroups/-/indexes", list_indexes),
    Route(f"{_GROUP}/indexes", create_index, methods=["POST"]),
    Route(f"{_GROUP}/indexes/{{index}}", delete_index, methods=["DELETE"]),
    Route(f"{_DATABASE}/collectionGroups/-/fields", list_fields),
    Route(f"{_GROUP}/fields/{{field:path}}", update_field, methods=["PATCH"]),
]
RULES_ROUTES = [
    Route("/v1/projects/{project}:test", test_ruleset, methods=["POST"]),
    Route("/v1/projects/{project}/rulesets", create_ruleset, methods=["POST"]),
    Route("/v1/projects/{project}/rulesets", list_rulesets),
    Route("/v1/projects/{project}/rulesets/{ruleset}", get_ruleset),
    Route("/v1/projects/{project}/releases", list_releases),
    Route("/v1/projects/{project}/releases", create_release, methods=["POST"]),
    Route("/v1/projects/{project}/releases/{release:path}", update_release, methods=["PATCH"]),
]
