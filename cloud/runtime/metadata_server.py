"""The metadata server, from which Google's client libraries learn the project and get tokens.

https://docs.cloud.google.com/run/docs/container-contract#metadata-server
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cloud.deployment.project_apis import PROJECT_NUMBER
from cloud.runtime.identity import Identity

_FLAVOR = {"Metadata-Flavor": "Google"}


def create_app(project: str, identity: Identity, email: Callable[[], str]) -> Starlette:
    """Return the server's app.

    It can't tell which function asks, so every function has the account `email()` here.
    """

    def require_flavor(request: Request) -> Response | None:
        if request.headers.get("metadata-flavor") == "Google":
            return None
        return PlainTextResponse("Missing Metadata-Flavor:Google header.", 403)

    async def probe(_request: Request) -> Response:
        return PlainTextResponse("computeMetadata/\n", headers=_FLAVOR)

    async def value(request: Request) -> Response:
        if refusal := require_flavor(request):
            return refusal
        values = {
            "project/project-id": project,
            "project/numeric-project-id": PROJECT_NUMBER,
            "instance/service-accounts/default/email": email(),
            "universe/universe-domain": "googleapis.com",
        }
        name = request.path_params["name"].strip("/")
        if name not in values:
            return PlainTextResponse(f"{name} is not simulated.", 404, headers=_FLAVOR)
        return PlainTextResponse(values[name], headers=_FLAVOR)

    async def account(request: Request) -> Response:
        if refusal := require_flavor(request):
            return refusal
        return JSONResponse(
            {
                "aliases": ["default"],
                "email": email(),
                "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            },
            headers=_FLAVOR,
        )

    async def token(request: Request) -> Response:
        if refusal := require_flavor(request):
            return refusal
        return JSONResponse(
            {
                "access_token": f"rehearsal-{secrets.token_urlsafe(12)}",
                "expires_in": 3599,
                "token_type": "Bearer",
            },
            headers=_FLAVOR,
        )

    async def identity_token(request: Request) -> Response:
        if refusal := require_flavor(request):
            return refusal
        audience = request.query_params.get("audience", "")
        return PlainTextResponse(identity.token(email(), audience), headers=_FLAVOR)

    accounts = "/computeMetadata/v1/instance/service-accounts/{account}"
    return Starlette(
        routes=[
            Route("/", probe),
            Route(f"{accounts}/token", token),
            Route(f"{accounts}/identity", identity_token),
            Route(f"{accounts}/", account),
            Route("/computeMetadata/v1/{name:path}", value),
        ]
    )
