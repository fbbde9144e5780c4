"""HTTP API: workers hand events over; people and tests read the state and set chaos."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloud.delivery import telemetry
from cloud.delivery.backoff import Backoff
from cloud.delivery.chaos import BadChaos, parse
from cloud.delivery.chaos_file import ChaosFile
from cloud.delivery.dispatcher import Dispatcher
from cloud.delivery.emulators import DeadLetters, Functions
from cloud.delivery.event import BadEvent, parse_event

# Guards against requests from web pages: without CORS a page can't send JSON, and a page that uses
# DNS rebinding sends another host name.
HOSTS = ["127.0.0.1", "localhost"]


class NotJson(Exception):
    """A request's body or content type is not JSON."""


@dataclass(frozen=True)
class Stack:
    """URLs of the other services of the stack, and its project id."""

    functions: str
    pubsub: str
    otlp: str
    project: str


def create_app(stack: Stack, backoff: Backoff, chaos_file: Path | None) -> Starlette:
    """Return the application.

    Args:
        stack: the services that events and spans are sent to.
        backoff: when failed events are retried.
        chaos_file: a file that exists while chaos is on; workers look for it.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        provider, tracer = telemetry.tracer_to(stack.otlp)
        # trust_env=False: requests to this machine must not go through a proxy.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        async with httpx.AsyncClient(trust_env=False, limits=limits) as http:
            dispatcher = Dispatcher(
                Functions(http, stack.functions, stack.project),
                DeadLetters(http, stack.pubsub, stack.project),
                tracer,
                backoff,
                ChaosFile(chaos_file),
            )
            app.state.dispatcher = dispatcher
            yield
            await dispatcher.end()
        provider.shutdown()

    return Starlette(
        routes=[
            Route("/events", _take, methods=["POST"]),
            Route("/chaos", _set_chaos, methods=["POST"]),
            Route("/chaos", _chaos),
            Route("/state", _state),
            Route("/dead", _dead),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        exception_handlers={NotJson: _bad_request, BadChaos: _bad_request, BadEvent: _bad_request},
        lifespan=lifespan,
    )


async def _take(request: Request) -> Response:
    event, failed = parse_event(await _json_body(request))
    _dispatcher(request).take(event, failed)
    return JSONResponse({"taken": True}, status_code=202)


async def _set_chaos(request: Request) -> Response:
    _dispatcher(request).set_chaos(parse(await _json_body(request)))
    return await _chaos(request)


async def _chaos(request: Request) -> Response:
    return JSONResponse(_dispatcher(request).chaos.as_json())


async def _state(request: Request) -> Response:
    return JSONResponse(_dispatcher(request).state())


async def _dead(request: Request) -> Response:
    return JSONResponse({"dead": list(_dispatcher(request).dead)})


async def _bad_request(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


async def _json_body(request: Request) -> Any:
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise NotJson("the request must have a JSON body and Content-Type: application/json")
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise NotJson(f"the body is not JSON: {error}") from error


def _dispatcher(request: Request) -> Dispatcher:
    dispatcher: Dispatcher = request.app.state.dispatcher
    return dispatcher
