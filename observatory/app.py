"""Compose the Observatory's packages into one ASGI application."""

import asyncio
import logging
import re
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from observatory import api
from observatory.api import EXCEPTION_HANDLERS, Context
from observatory.api.responses import path_not_found
from observatory.compare.digest import Digests
from observatory.compare.digest.tables import GRACE_SECONDS
from observatory.feature_flags.fault_flags import FaultFlags
from observatory.guard import Guard
from observatory.journey.conventions import NO_CONVENTIONS, Conventions
from observatory.mcp_server.http import McpEndpoint
from observatory.receive.budget import Budget
from observatory.receive.otlp import Receiver
from observatory.schemas.ask import Example
from observatory.sources import Sources
from observatory.store import Limits, Retention, Store

if TYPE_CHECKING:
    from observatory.receive.otlp_grpc import GrpcServer

SHUTDOWN_SECONDS = 5
BUDGET_BYTES = 96 * 2**20
# The explorer is a single page that chooses the view by the path.
UI_PATHS = (
    *("/", "/map", "/logs", "/metrics", "/ask", "/storage", "/faults"),
    *("/traces/{trace_id}", "/diff/{left}/{right}"),
)
TRACE_ID = re.compile("[0-9a-fA-F]{32}")
UI_MISSING = "The explorer is not built yet. ./scripts/dev builds it; the API is under /api.\n"
log = logging.getLogger(__name__)
NOT_FOUND = (
    "Not found. POST telemetry to /v1/traces, /v1/logs or /v1/metrics; set "
    "OTEL_EXPORTER_OTLP_ENDPOINT to the address without a path.\n"
)


def create_app(  # noqa: PLR0913  # one for each of the command's options
    store: Store,
    ui: Path,
    *,
    hosts: Iterable[str] = (),
    origins: Iterable[str] = (),
    grpc_listener: socket.socket | None = None,
    budget_bytes: int = BUDGET_BYTES,
    limits: Limits = Limits(),  # noqa: B008  # it is frozen
    sources: Sources = Sources(),  # noqa: B008  # so are they
    fault_flags: FaultFlags | None = None,
    examples: tuple[Example, ...] = (),
    conventions: Conventions = NO_CONVENTIONS,
    grace_seconds: float = GRACE_SECONDS,
) -> FastAPI:
    """Return the application for ``store``, which it closes when the server shuts down.

    Args:
        store: an open store.
        ui: the folder of the built explorer; may be absent.
        hosts: host names to accept besides loopback names.
        origins: origins that may send telemetry besides loopback origins.
        grpc_listener: a socket that reserves the address for OTLP/gRPC; None turns gRPC off.
        budget_bytes: the limit on telemetry that is received but not yet stored.
        limits: how long and how much telemetry is kept.
        sources: where source files are, and how to open them.
        fault_flags: the faults of the observed app; closed together with the store.
        examples: example SQL queries about the observed app.
        conventions: what the observed app's attributes mean.
        grace_seconds: how long an absent parent is awaited after a trace's last span arrived.
    """
    budget = Budget(budget_bytes)
    receiver = Receiver(store, budget)
    digests = Digests(store, grace_seconds)
    retention = Retention(store, limits)
    mcp = McpEndpoint()
    boot = secrets.token_hex(4)
    context = Context(
        *(store, receiver.folding, digests, retention, budget, sources, boot, fault_flags),
        *(examples, conventions, grpc_listener.getsockname()[1] if grpc_listener else None),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        grpc = asyncio.create_task(_serve_grpc(receiver, grpc_listener))
        yield
        if (grpc_server := await grpc) is not None:
            await grpc_server.stop(SHUTDOWN_SECONDS)
        await mcp.close()
        receiver.close()
        budget.close()
        retention.close()
        digests.close()
        store.close()
        if fault_flags is not None:
            fault_flags.flags.close()

    app = FastAPI(
        openapi_url=None,  # the API serves it on a route of its own
        routes=[
            *receiver.routes,
            *api.ROUTES,
            mcp.route,
            *_explorer(ui),
        ],
        middleware=[Middleware(Guard, hosts=hosts, origins=origins)],
        exception_handlers=EXCEPTION_HANDLERS | {404: _not_found(ui)},
        lifespan=lifespan,
    )
    app.state.context = context
    return app


async def _serve_grpc(receiver: Receiver, listener: socket.socket | None) -> "GrpcServer | None":
    """Start the gRPC server on the address of ``listener``, which is closed.

    It runs beside the HTTP server's start, so that importing grpc doesn't delay the first page.
    """
    if listener is None:
        return None
    server_class = await asyncio.to_thread(_import_grpc_server)
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    server = server_class(receiver)
    listener.close()
    try:
        await server.start(address)
    except OSError as error:
        log.error("cannot receive OTLP/gRPC on %s: %s", address, error)
        return None
    return server


def _import_grpc_server() -> "type[GrpcServer]":
    from observatory.receive.otlp_grpc import GrpcServer  # noqa: PLC0415  # takes 0.2 s

    return GrpcServer


def _not_found(ui: Path) -> Callable[[Request, Exception], Response]:
    """Return the 404 handler: JSON under ``/api/``, the explorer for pages, text for the rest."""

    def not_found(request: Request, exc: Exception) -> Response:  # noqa: ARG001
        if request.url.path.startswith("/api/"):
            return path_not_found(request)
        index = ui / "index.html"
        is_page = request.method in ("GET", "HEAD") and not request.url.path.startswith("/assets/")
        if is_page and index.is_file():
            return FileResponse(index, 404, headers={"Cache-Control": "no-cache"})
        return PlainTextResponse(NOT_FOUND, status_code=404)

    return not_found


def _explorer(ui: Path) -> list[BaseRoute]:
    index = ui / "index.html"

    def page(request: Request) -> Response:  # noqa: ARG001
        # Checked on each request: the explorer may be built while the server runs.
        if not index.is_file():
            return PlainTextResponse(UI_MISSING, status_code=404)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    def trace(request: Request) -> Response:
        trace_id = request.path_params["trace_id"]
        if TRACE_ID.fullmatch(trace_id) is None:
            raise HTTPException(404)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/traces/{trace_id}{query}")

    return [
        *(Route(path, page) for path in UI_PATHS),
        Route("/trace/{trace_id}", trace),
        Mount("/assets", StaticFiles(directory=ui / "assets", check_dir=False)),
    ]
