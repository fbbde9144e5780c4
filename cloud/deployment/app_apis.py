"""Service accounts, and the web apps whose configuration a page is built with."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.deployment.api import body_of, existing, resources_of
from cloud.deployment.google_error import GoogleError


async def create_service_account(request: Request) -> Response:
    """Create a service account of the project."""
    project, body = request.app.state.project, await body_of(request)
    email = f"{body['accountId']}@{project}.iam.gserviceaccount.com"
    name = f"projects/{project}/serviceAccounts/{email}"
    if resources_of(request).get(name):
        raise GoogleError(409, f"Service account {body['accountId']} already exists within {name}.")
    account = {**body.get("serviceAccount", {}), "name": name, "email": email}
    return JSONResponse(resources_of(request).put(name, account))


async def get_service_account(request: Request) -> Response:
    """Return a service account."""
    email = request.path_params["email"]
    name = f"projects/{request.app.state.project}/serviceAccounts/{email}"
    return JSONResponse(existing(request, name, f"Unknown service account: {name}"))


async def list_web_apps(request: Request) -> Response:
    """List the web apps."""
    pattern = f"projects/{request.app.state.project}/webApps/*"
    return JSONResponse({"apps": list(resources_of(request).list(pattern))})


async def create_web_app(request: Request) -> Response:
    """Register a web app; the operation is finished at once."""
    app_id = f"1:100000000001:web:{secrets.token_hex(11)}"
    name = f"projects/{request.app.state.project}/webApps/{app_id}"
    app = {**await body_of(request), "name": name, "appId": app_id, "state": "ACTIVE"}
    created = resources_of(request).put(name, app)
    return JSONResponse({"name": "operations/create", "done": True, "response": created})


async def get_web_app_config(request: Request) -> Response:
    """Return what a page needs to use the project."""
    project = request.app.state.project
    return JSONResponse(
        {
            "projectId": project,
            "appId": request.path_params["app"],
            # In the form of a key; it opens nothing.
            "apiKey": "AIza" + "RehearsedKey".ljust(35, "0"),
            "authDomain": f"{project}.firebaseapp.com",
        }
    )


_ACCOUNTS = "/v1/projects/{project}/serviceAccounts"
_APPS = "/v1beta1/projects/{project}/webApps"

SERVICE_ACCOUNT_ROUTES = [
    Route(_ACCOUNTS, create_service_account, methods=["POST"]),
    Route(f"{_ACCOUNTS}/{{email}}", get_service_account),
]
WEB_APP_ROUTES = [
    Route(_APPS, list_web_apps),
    Route(_APPS, create_web_app, methods=["POST"]),
    Route(f"{_APPS}/{{app}}/config", get_web_app_config),
]
