"""Access tokens, projects, services, IAM, billing and secrets.

The account that deploys has every permission, and every API is enabled: what a real project may
lack is not rehearsed.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.deployment.api import body_of, existing, resources_of
from cloud.deployment.google_error import GoogleError

PROJECT_NUMBER = "100000000001"
DEFAULT_SERVICE_ACCOUNT = f"{PROJECT_NUMBER}-compute@developer.gserviceaccount.com"


async def issue_token(_request: Request) -> Response:
    """Exchange a service account's assertion for an access token (OAuth 2.0, RFC 7523)."""
    return JSONResponse(
        {
            "access_token": f"rehearsal-{secrets.token_urlsafe(16)}",
            "expires_in": 3600,
            "token_type": "Bearer",
        }
    )


async def get_project(request: Request) -> Response:
    """Describe the project, for Firebase Management and Resource Manager alike."""
    project = request.app.state.project
    return JSONResponse(
        {
            "projectId": project,
            "projectNumber": PROJECT_NUMBER,
            "displayName": project,
            "name": f"projects/{project}",
            "state": "ACTIVE",
            "lifecycleState": "ACTIVE",
            "resources": {"hostingSite": project},
        }
    )


async def get_admin_sdk_config(request: Request) -> Response:
    """Return what the CLI stores in the functions' FIREBASE_CONFIG."""
    project = request.app.state.project
    bucket = f"{project}.firebasestorage.app"
    return JSONResponse({"projectId": project, "storageBucket": bucket})


async def get_service(request: Request) -> Response:
    """Report an API as enabled."""
    return JSONResponse({"name": request.path_params["service"], "state": "ENABLED"})


async def generate_service_identity(request: Request) -> Response:
    """Report the service agent of an API as created."""
    service = request.path_params["service"].partition(".")[0]
    email = f"service-{PROJECT_NUMBER}@gcp-sa-{service}.iam.gserviceaccount.com"
    return JSONResponse({"done": True, "response": {"email": email}})


async def test_permissions(request: Request) -> Response:
    """Grant every permission that is asked for."""
    return JSONResponse({"permissions": (await body_of(request)).get("permissions", [])})


async def get_policy(request: Request) -> Response:
    """Return the IAM policy of a resource, which is empty at first."""
    name = _policy_name(request)
    return JSONResponse(resources_of(request).get(name) or {"version": 1, "bindings": []})


async def set_policy(request: Request) -> Response:
    """Store the IAM policy of a resource."""
    policy = (await body_of(request)).get("policy")
    if not isinstance(policy, dict) or not isinstance(policy.get("bindings", []), list):
        raise GoogleError(400, "The policy must have a list of bindings.")
    return JSONResponse(resources_of(request).put(_policy_name(request), policy))


def _policy_name(request: Request) -> str:
    """Return the name that a policy is stored under; a project's number means its id."""
    resource = request.path_params["resource"]
    if resource == f"projects/{PROJECT_NUMBER}":
        resource = f"projects/{request.app.state.project}"
    return f"{resource}/policy"


async def get_billing(_request: Request) -> Response:
    """Report that billing is enabled, which functions need."""
    return JSONResponse({"billingEnabled": True})


async def get_compute_project(_request: Request) -> Response:
    """Return the default service account, which 2nd generation functions run as.

    https://firebase.google.com/docs/functions/2nd-gen-upgrade (service accounts)
    """
    return JSONResponse({"defaultServiceAccount": DEFAULT_SERVICE_ACCOUNT})


async def list_runtime_configs(_request: Request) -> Response:
    """Report that functions.config() of 1st generation functions is not used."""
    return JSONResponse({})


async def create_secret(request: Request) -> Response:
    """Create a secret without a version."""
    name = f"projects/{request.app.state.project}/secrets/{request.query_params['secretId']}"
    if resources_of(request).get(name):
        raise GoogleError(409, f"Secret [{name}] already exists.")
    return JSONResponse(resources_of(request).put(name, {**await body_of(request), "name": name}))


async def list_secrets(request: Request) -> Response:
    """List the project's secrets."""
    pattern = f"projects/{request.app.state.project}/secrets/*"
    return JSONResponse({"secrets": list(resources_of(request).list(pattern))})


async def get_secret(request: Request) -> Response:
    """Return a secret's description."""
    return JSONResponse(_existing_secret(request, _secret_name(request)))


async def update_secret(request: Request) -> Response:
    """Change a secret's labels."""
    secret = {**_existing_secret(request, _secret_name(request)), **await body_of(request)}
    return JSONResponse(resources_of(request).put(_secret_name(request), secret))


async def add_secret_version(request: Request) -> Response:
    """Store a secret's next value."""
    name = _secret_name(request)
    _existing_secret(request, name)
    payload = (await body_of(request)).get("payload", {}).get("data", "")
    base64.b64decode(payload, validate=True)
    number = 1 + len(list(resources_of(request).list(f"{name}/versions/*")))
    version = {"name": f"{name}/versions/{number}", "state": "ENABLED", "payload": payload}
    resources_of(request).put(version["name"], version)
    return JSONResponse({"name": version["name"], "state": "ENABLED"})


async def list_secret_versions(request: Request) -> Response:
    """List a secret's versions, the newest first."""
    versions = list(resources_of(request).list(f"{_secret_name(request)}/versions/*"))
    versions.sort(key=lambda version: int(version["name"].rpartition("/")[2]), reverse=True)
    return JSONResponse({"versions": [_without_payload(version) for version in versions]})


async def get_secret_version(request: Request) -> Response:
    """Return the state of a secret's version."""
    return JSONResponse(_without_payload(_secret_version(request)))


async def access_secret_version(request: Request) -> Response:
    """Return a secret's value."""
    version = _secret_version(request)
    digest = hashlib.sha256(version["payload"].encode()).hexdigest()[:8]
    payload = {"data": version["payload"], "dataCrc32c": digest}
    return JSONResponse({"name": version["name"], "payload": payload})


def _secret_name(request: Request) -> str:
    return f"projects/{request.app.state.project}/secrets/{request.path_params['secret']}"


def _secret_version(request: Request) -> dict[str, str]:
    name, version = _secret_name(request), request.path_params["version"]
    if version == "latest":
        version = str(len(list(resources_of(request).list(f"{name}/versions/*"))))
    return _existing_secret(request, f"{name}/versions/{version}")


def _existing_secret(request: Request, name: str) -> dict[str, str]:
    return existing(request, name, f"Secret [{name}] not found or has no versions.")


def _without_payload(version: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in version.items() if key != "payload"}


_SECRETS = "/v1/projects/{project}/secrets"
_NAMED = f"{_SECRETS}/{{secret}}"
_VERSION = f"{_NAMED}/versions/{{version}}"
_POLICY = "/{version}/{resource:path}"

TOKEN_ROUTES = [Route("/oauth2/v3/token", issue_token, methods=["POST"])]
FIREBASE_ROUTES = [
    Route("/v1beta1/projects/{project}/adminSdkConfig", get_admin_sdk_config),
    Route("/v1beta1/projects/{project}", get_project),
]
RESOURCE_MANAGER_ROUTES = [
    Route(f"{_POLICY}:testIamPermissions", test_permissions, methods=["POST"]),
    Route(f"{_POLICY}:getIamPolicy", get_policy, methods=["POST", "GET"]),
    Route(f"{_POLICY}:setIamPolicy", set_policy, methods=["POST"]),
    Route("/v1/projects/{project}", get_project),
]
SERVICE_USAGE_ROUTES = [
    Route(
        "/{version}/projects/{project}/services/{service}:generateServiceIdentity",
        generate_service_identity,
        methods=["POST"],
    ),
    Route("/{version}/projects/{project}/services/{service}", get_service),
]
IAM_ROUTES = RESOURCE_MANAGER_ROUTES[:3]
BILLING_ROUTES = [Route("/v1/projects/{project}/billingInfo", get_billing)]
COMPUTE_ROUTES = [Route("/compute/v1/projects/{project}", get_compute_project)]
RUNTIME_CONFIG_ROUTES = [Route("/v1beta1/projects/{project}/configs", list_runtime_configs)]
SECRET_MANAGER_ROUTES = [
    *RESOURCE_MANAGER_ROUTES[:3],
    Route(_SECRETS, create_secret, methods=["POST"]),
    Route(_SECRETS, list_secrets),
    Route(f"{_VERSION}:access", access_secret_version),
    Route(_VERSION, get_secret_version),
    Route(f"{_NAMED}/versions", list_secret_versions),
    Route(f"{_NAMED}:addVersion", add_secret_version, methods=["POST"]),
    Route(_NAMED, get_secret),
    Route(_NAMED, update_secret, methods=["PATCH"]),
]
