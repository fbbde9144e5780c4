"""The HTTP apps of a running deployment: its front end, its site, and what only the stack calls."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from cloud.delivery import chaos
from cloud.deployment.api import body_of
from cloud.deployment.google_error import GoogleError, response_to
from cloud.runtime import firestore_events, metadata_server, pubsub_events
from cloud.runtime.firestore_events import BadEvent
from cloud.runtime.hosting import response_of
from cloud.runtime.runtime import Runtime

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def front_end_app(runtime: Runtime) -> Starlette:
    """Return the app of the functions' addresses: /PROJECT/REGION/FUNCTION/PATH."""

    async def call(request: Request) -> Response:
        parameters = request.path_params
        service = runtime.front_end.find(parameters["region"], parameters["function"])
        if service is None:
            return PlainTextResponse("The requested URL was not found on this server.", 404)
        path = f"/{parameters.get('path', '')}"
        target = path + (f"?{request.url.query}" if request.url.query else "")
        client = request.client.host if request.client else "127.0.0.1"
        answer = await runtime.front_end.handle(
            service,
            request.method,
            target,
            request.headers.items(),
            await request.body(),
            client,
        )
        return response_of(answer)

    prefix = f"/{runtime.deployed.project}/{{region}}/{{function}}"
    return Starlette(
        routes=[
            Route(f"{prefix}/{{path:path}}", call, methods=METHODS),
            Route(prefix, call, methods=METHODS),
        ]
    )


def hosting_app(runtime: Runtime) -> Starlette:
    """Return the app of the hosted site."""

    async def respond(request: Request) -> Response:
        if runtime.hosting is None:
            return PlainTextResponse("The site is starting.", 503)
        return await runtime.hosting.respond(request)

    return Starlette(routes=[Route("/{path:path}", respond, methods=METHODS)])


def internal_app(runtime: Runtime) -> Starlette:
    """Return the app that the emulators and the stack call, with the metadata server."""

    async def receive_document_event(request: Request) -> Response:
        """Take an event from the Firestore emulator."""
        for service in runtime.front_end.services:
            if firestore_events.key_of(service.function) == request.path_params["key"]:
                headers, body = firestore_events.production_event(
                    request.headers,
                    await request.body(),
                    runtime.deployed.database_location(),
                )
                runtime.delivery.begin(service, headers, body)
                return JSONResponse({})
        raise GoogleError(404, f"No function has the trigger {request.path_params['key']}.")

    async def receive_message(request: Request) -> Response:
        """Take a push from the Pub/Sub emulator."""
        parameters = request.path_params
        service = runtime.front_end.find(parameters["region"], parameters["function"])
        if service is None:
            raise GoogleError(404, f"{parameters['function']} is not deployed.")
        headers, body = pubsub_events.production_event(service.function, await request.body())
        runtime.delivery.begin(service, headers, body)
        return Response(status_code=204)

    async def status(_request: Request) -> Response:
        return JSONResponse({"ready": runtime.hosting is not None, **runtime.status()})

    async def state(_request: Request) -> Response:
        """Report deliveries as cloud/delivery does; every attempt reaches the function."""
        deliveries = runtime.delivery.deliveries
        return JSONResponse(
            {"pending": deliveries.in_progress, "dead": len(deliveries.dropped), "untried": 0}
        )

    async def set_chaos(request: Request) -> Response:
        try:
            runtime.delivery.chaos = chaos.parse(await body_of(request))
        except chaos.BadChaos as error:
            raise GoogleError(400, str(error)) from error
        return JSONResponse(runtime.delivery.chaos.as_json())

    async def run_job(request: Request) -> Response:
        """Fire a job now, as `gcloud scheduler jobs run` does."""
        name = request.path_params["job"]
        job = next((job for key, job in runtime.jobs.items() if key.endswith(f"/{name}")), None)
        if job is None:
            raise GoogleError(404, f"There is no job {name}.")
        answer = await job.fire()
        return JSONResponse({"status_code": answer.status_code})

    def refuse(request: Request, error: Exception) -> Response:
        return response_to(request, GoogleError(400, str(error)))

    metadata: Any = metadata_server.create_app(
        runtime.deployed.project, runtime.identity, runtime.service_account
    )
    return Starlette(
        routes=[
            Route(
                "/functions/projects/{project}/triggers/{key}",
                receive_document_event,
                methods=["POST"],
            ),
            Route("/pubsub/{region}/{function}", receive_message, methods=["POST"]),
            Route("/status", status),
            Route("/state", state),
            Route("/chaos", set_chaos, methods=["POST"]),
            Route("/jobs/{job}/run", run_job, methods=["POST"]),
            Mount("/", app=metadata),
        ],
        exception_handlers={GoogleError: response_to, BadEvent: refuse},
    )
