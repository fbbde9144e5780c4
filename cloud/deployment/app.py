"""The HTTP server: one path per Google API, and an error for every request that none knows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from cloud.deployment import (
    app_apis,
    firestore_apis,
    functions_apis,
    hosting_api,
    project_apis,
    trigger_apis,
)
from cloud.deployment.google_error import GoogleError, response_to
from cloud.deployment.resources import Resources

_log = logging.getLogger(__name__)

#: The routes of each API, by its host name; the server answers them under /HOST/.
APIS: dict[str, Sequence[BaseRoute]] = {
    "artifactregistry.googleapis.com": functions_apis.ARTIFACT_REGISTRY_ROUTES,
    "cloudbilling.googleapis.com": project_apis.BILLING_ROUTES,
    "cloudfunctions.googleapis.com": functions_apis.CLOUD_FUNCTIONS_ROUTES,
    "cloudresourcemanager.googleapis.com": project_apis.RESOURCE_MANAGER_ROUTES,
    "cloudscheduler.googleapis.com": trigger_apis.CLOUD_SCHEDULER_ROUTES,
    "cloudtasks.googleapis.com": trigger_apis.CLOUD_TASKS_ROUTES,
    "compute.googleapis.com": project_apis.COMPUTE_ROUTES,
    "eventarc.googleapis.com": trigger_apis.EVENTARC_ROUTES,
    "firebase.googleapis.com": [
        *app_apis.WEB_APP_ROUTES,
        *project_apis.FIREBASE_ROUTES,
    ],
    "firebasehosting.googleapis.com": hosting_api.HOSTING_ROUTES,
    "firebaserules.googleapis.com": firestore_apis.RULES_ROUTES,
    "firestore.googleapis.com": firestore_apis.FIRESTORE_ROUTES,
    "iam.googleapis.com": [
        *project_apis.IAM_ROUTES,
        *app_apis.SERVICE_ACCOUNT_ROUTES,
    ],
    "identitytoolkit.googleapis.com": trigger_apis.IDENTITY_TOOLKIT_ROUTES,
    "oauth2.googleapis.com": project_apis.TOKEN_ROUTES,
    "pubsub.googleapis.com": trigger_apis.PUBSUB_ROUTES,
    "run.googleapis.com": functions_apis.CLOUD_RUN_ROUTES,
    "runtimeconfig.googleapis.com": project_apis.RUNTIME_CONFIG_ROUTES,
    "secretmanager.googleapis.com": project_apis.SECRET_MANAGER_ROUTES,
    "serviceusage.googleapis.com": project_apis.SERVICE_USAGE_ROUTES,
}

#: Where the server lists the requests that it had no answer for.
UNKNOWN = "/unknown-requests"


def create_app(folder: Path, project: str) -> Starlette:
    """Return the server's app, which stores what is deployed to `project` in `folder`."""
    app = Starlette(
        routes=[
            Route(UNKNOWN, list_unknown),
            Mount("/upload", routes=functions_apis.UPLOAD_ROUTES),
            *(Mount(f"/{host}", routes=routes) for host, routes in APIS.items()),
        ],
        exception_handlers={
            GoogleError: response_to,
            HTTPException: refuse_unknown,
            ValueError: refuse_invalid,
            KeyError: refuse_invalid,
        },
    )
    app.state.resources = Resources(folder)
    app.state.project = project
    app.state.unknown = []
    return app


async def list_unknown(request: Request) -> Response:
    """List the requests that were refused because the server does not know them."""
    return JSONResponse(request.app.state.unknown)


def refuse_unknown(request: Request, error: Exception) -> Response:
    """Record a request that no route matches, and answer 501."""
    line = f"{request.method} {request.url.path}"
    if line not in request.app.state.unknown:
        request.app.state.unknown.append(line)
        _log.warning("Not simulated: %s", line)
    status_code = error.status_code if isinstance(error, HTTPException) else 500
    reason = "this method" if status_code == 405 else "this request"
    return response_to(
        request, GoogleError(501, f"The rehearsal does not simulate {reason}: {line}")
    )


def refuse_invalid(request: Request, error: Exception) -> Response:
    """Answer 400 for a request that lacks a value or has an unusable one."""
    kind = "missing" if isinstance(error, KeyError) else "invalid"
    return response_to(request, GoogleError(400, f"{kind} value in {request.url.path}: {error}"))
