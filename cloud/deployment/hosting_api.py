"""Firebase Hosting: versions of a site, their files and settings, and releases."""

from __future__ import annotations

import gzip
import hashlib
import re
import secrets
import zlib

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.deployment.api import body_of, existing, resources_of
from cloud.deployment.google_error import GoogleError
from cloud.deployment.resources import Resource

# https://firebase.google.com/docs/hosting/usage-quotas-pricing (maximum size of a single file)
FILE_MAX_BYTES = 2 * 1024 * 1024 * 1024


async def create_version(request: Request) -> Response:
    """Create an empty version of a site."""
    name = f"{_site(request)}/versions/{secrets.token_hex(8)}"
    version = {**await body_of(request), "name": name, "status": "CREATED", "files": {}}
    return JSONResponse(_shown(resources_of(request).put(name, version)))


async def list_versions(request: Request) -> Response:
    """List the versions of a site."""
    versions = resources_of(request).list(f"{_site(request)}/versions/*")
    return JSONResponse({"versions": [_shown(version) for version in versions]})


async def populate_files(request: Request) -> Response:
    """Add files to a version by their hashes, and answer which contents must be uploaded."""
    version = _version(request)
    files = (await body_of(request)).get("files", {})
    if not all(re.fullmatch("[0-9a-f]{64}", digest) for digest in files.values()):
        raise GoogleError(400, "A file's hash must be a SHA-256 in hexadecimal.")
    version["files"] |= files
    resources_of(request).put(version["name"], version)
    missing = [
        digest
        for digest in dict.fromkeys(files.values())
        if not resources_of(request).upload_path(f"hosting/{digest}").is_file()
    ]
    url = f"{request.base_url}firebasehosting.googleapis.com/{version['name']}/files"
    return JSONResponse({"uploadUrl": url, "uploadRequiredHashes": missing})


async def upload_file(request: Request) -> Response:
    """Store a file's compressed content under the hash that it must have."""
    digest, content = request.path_params["digest"], await request.body()
    if hashlib.sha256(content).hexdigest() != digest:
        raise GoogleError(400, "The content hash does not match the uploaded content.")
    try:
        plain = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise GoogleError(400, "The content is not compressed with gzip.") from error
    if len(plain) > FILE_MAX_BYTES:
        raise GoogleError(400, f"The file exceeds {FILE_MAX_BYTES} bytes.")
    resources_of(request).upload_path(f"hosting/{digest}").write_bytes(plain)
    return Response()


async def update_version(request: Request) -> Response:
    """Set a version's settings, or finalise it once all its files are uploaded."""
    version, changes = _version(request), await body_of(request)
    if changes.get("status") == "FINALIZED":
        for path, digest in version["files"].items():
            if not resources_of(request).upload_path(f"hosting/{digest}").is_file():
                raise GoogleError(400, f"The content of {path} was not uploaded.")
    version |= changes
    return JSONResponse(_shown(resources_of(request).put(version["name"], version)))


async def create_release(request: Request) -> Response:
    """Release a finalised version."""
    name = request.query_params["versionName"]
    version = resources_of(request).get(name)
    if version is None or version["status"] != "FINALIZED":
        raise GoogleError(400, f"Version {name} is not finalized.")
    channel = f"{_site(request)}/channels/{request.path_params['channel']}"
    release = {
        **await body_of(request),
        "name": f"{channel}/releases/{secrets.token_hex(8)}",
        "version": {"name": name},
    }
    return JSONResponse(resources_of(request).put(f"{channel}/release", release))


async def get_channel(request: Request) -> Response:
    """Report a channel of the site: only the live one exists."""
    channel = request.path_params["channel"]
    if channel != "live":
        raise GoogleError(404, f"Channel {channel} does not exist.")
    name = f"{_site(request)}/channels/live"
    release = resources_of(request).get(f"{name}/release")
    return JSONResponse({"name": name, **({"release": release} if release else {})})


async def get_site(request: Request) -> Response:
    """Describe the site."""
    return JSONResponse({"name": _site(request), "type": "DEFAULT_SITE"})


async def list_sites(request: Request) -> Response:
    """List the project's only site."""
    project = request.app.state.project
    name = f"projects/{project}/sites/{project}"
    return JSONResponse({"sites": [{"name": name, "type": "DEFAULT_SITE"}]})


def _site(request: Request) -> str:
    return f"projects/{request.app.state.project}/sites/{request.path_params['site']}"


def _version(request: Request) -> Resource:
    name = f"{_site(request)}/versions/{request.path_params['version']}"
    return existing(request, name, f"Version {name} was not found.")


def _shown(version: Resource) -> Resource:
    return {key: value for key, value in version.items() if key != "files"}


_SITE = "/v1beta1/projects/{project}/sites/{site}"

HOSTING_ROUTES = [
    Route("/v1beta1/projects/{project}/sites", list_sites),
    Route(f"{_SITE}/versions", create_version, methods=["POST"]),
    Route(f"{_SITE}/versions", list_versions),
    Route(f"{_SITE}/versions/{{version}}:populateFiles", populate_files, methods=["POST"]),
    Route(f"{_SITE}/versions/{{version}}", update_version, methods=["PATCH"]),
    Route(f"{_SITE}/channels/{{channel}}/releases", create_release, methods=["POST"]),
    Route(f"{_SITE}/channels/{{channel}}", get_channel),
    Route(_SITE, get_site),
    Route(
        "/projects/{project}/sites/{site}/versions/{version}/files/{digest}",
        upload_file,
        methods=["POST"],
    ),
]
