"""The Google APIs that deployed functions call over HTTPS: Cloud Tasks, Eventarc, IAM Credentials.

Every other request, to whatever address, is refused with Google's error and recorded. A call needs
an access token; of which account is not checked.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Route, Router

from cloud.deployment.api import body_of
from cloud.deployment.google_error import GoogleError, response_to
from cloud.runtime import custom_events
from cloud.runtime.events import EventDelivery
from cloud.runtime.firestore_events import BadEvent
from cloud.runtime.front_end import FrontEnd
from cloud.runtime.tasks import BadTask, Queue

CLOUD_TASKS = "cloudtasks.googleapis.com"
EVENTARC_PUBLISHING = "eventarcpublishing.googleapis.com"
IAM_CREDENTIALS = "iamcredentials.googleapis.com"
HOSTS = (CLOUD_TASKS, EVENTARC_PUBLISHING, IAM_CREDENTIALS)

_log = logging.getLogger(__name__)


def create_app(
    front_end: FrontEnd, delivery: EventDelivery, queues: Mapping[str, Queue]
) -> Starlette:
    """Return the app that answers for all of these APIs, by the host of the request."""

    async def create_task(request: Request) -> Response:
        _require_token(request)
        name = request.path_params["queue"]
        if name not in queues:
            raise GoogleError(404, f"Queue does not exist: {name}")
        try:
            return JSONResponse(queues[name].create((await body_of(request)).get("task", {})))
        except BadTask as error:
            raise GoogleError(400, str(error)) from error

    async def publish_events(request: Request) -> Response:
        _require_token(request)
        channel = request.path_params["channel"]
        for event in (await body_of(request)).get("events", []):
            try:
                headers, body = custom_events.binary_event(event)
            except BadEvent as error:
                raise GoogleError(400, str(error)) from error
            for service in custom_events.receivers(front_end.services, channel, event):
                delivery.begin(service, headers, body)
        return JSONResponse({})

    async def allowed_locations(request: Request) -> Response:
        """Report that the account may be used everywhere.

        google-auth asks for it in the background. The API is described only in the library's source
        (google/auth/_regional_access_boundary_utils.py), so that this answer is made up.
        """
        _require_token(request)
        return JSONResponse({"locations": [], "encodedLocations": "0x0"})

    allowed = "/v1/projects/-/serviceAccounts/{account}/allowedLocations"
    app = Starlette(
        routes=[
            Host(IAM_CREDENTIALS, Router([Route(allowed, allowed_locations)])),
            Host(
                CLOUD_TASKS,
                Router([Route("/v2/{queue:path}/tasks", create_task, methods=["POST"])]),
            ),
            Host(
                EVENTARC_PUBLISHING,
                Router(
                    [Route("/v1/{channel:path}:publishEvents", publish_events, methods=["POST"])]
                ),
            ),
        ],
        exception_handlers={GoogleError: response_to, HTTPException: _refuse_unknown},
    )
    app.state.unknown = []
    return app


def _require_token(request: Request) -> None:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        raise GoogleError(401, "Request is missing required authentication credential.")


def _refuse_unknown(request: Request, _error: Exception) -> Response:
    line = f"{request.method} https://{request.headers.get('host', '')}{request.url.path}"
    if line not in request.app.state.unknown:
        request.app.state.unknown.append(line)
        _log.warning("Not simulated: %s", line)
    return response_to(request, GoogleError(501, f"The rehearsal does not simulate {line}"))
