"""The rooms put together into one ASGI application."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from observatory import api
from observatory.api import EXCEPTION_HANDLERS, Context
from observatory.api.responses import nothing_here as nothing_in_api
from observatory.compare.digest import Digests
from observatory.feature_flags.fault_flags import FaultFlags
from observatory.guard import Guard
from observatory.receive.budget import Budget
from observatory.receive.otlp import Receiver
from observatory.schemas.ask import Example
from observatory.sources import Sources
from observatory.store import Limits, Retention, Store

BUDGET_BYTES = 96 * 2**20
# The explorer is one page, which reads from its address which view to show.
UI_PATHS = (
    *("/", "/map", "/logs", "/metrics", "/ask", "/storage", "/faults"),
    *("/traces/{trace_id}", "/diff/{left}/{right}"),
)
UI_MISSING = "The explorer isn't built yet. ./scripts/dev builds it; the API is under /api.\n"
NOTHING_HERE = (
    "There is nothing here. Telemetry is taken at /v1/traces, /v1/logs and /v1/metrics, by POST; "
    "OTEL_EXPORTER_OTLP_ENDPOINT is the address without a path.\n"
)


def create_app(  # noqa: PLR0913  # one for each of the command's options
    store: Store,
    ui: Path,
    *,
    hosts: Iterable[str] = (),
    origins: Iterable[str] = (),
    budget_bytes: int = BUDGET_BYTES,
    limits: Limits = Limits(),  # noqa: B008  # it is frozen
    sources: Sources = Sources(),  # noqa: B008  # so are they
    fault_flags: FaultFlags | None = None,
    examples: tuple[Example, ...] = (),
) -> FastAPI:
    """The application over ``store``, which it closes when the server shuts down.

    Args:
        store: an open store.
        ui: the folder with the built explorer; may be absent.
        hosts: host names to answer to besides loopback's.
        origins: origins that may send telemetry besides loopback's.
        limits: how long telemetry is kept, and how much of it.
        budget_bytes: how much telemetry may be on its way to the disk at once.
        sources: where the source is that spans name, and how it is opened.
        fault_flags: the faults of the observed app, whose connections it closes too.
        examples: questions in SQL about the observed app.
    """
    budget = Budget(budget_bytes)
    receiver = Receiver(store, budget)
    digests = Digests(store)
    retention = Retention(store, limits)
    boot = secrets.token_hex(4)
    context = Context(store, digests, retention, budget, sources, boot, fault_flags, examples)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        yield
        receiver.close()
        budget.close()
        retention.close()
        digests.close()
        store.close()
        if fault_flags is not None:
            fault_flags.flags.close()

    app = FastAPI(
        openapi_url=None,  # the API has a route of its own for it
        routes=[
            *receiver.routes,
            *api.ROUTES,
            *_explorer(ui),
        ],
        middleware=[Middleware(Guard, hosts=hosts, origins=origins)],
        exception_handlers=EXCEPTION_HANDLERS | {404: _lost(ui)},
        lifespan=lifespan,
    )
    app.state.context = context
    return app


def _lost(ui: Path) -> Callable[[Request, Exception], Response]:
    """What answers where there is nothing: to a person the explorer, which says so and leads on."""

    def nothing_here(request: Request, exc: Exception) -> Response:  # noqa: ARG001
        if request.url.path.startswith("/api/"):
            return nothing_in_api(request)
        index = ui / "index.html"
        person = request.method in ("GET", "HEAD") and not request.url.path.startswith("/assets/")
        if person and index.is_file():
            return FileResponse(index, 404, headers={"Cache-Control": "no-cache"})
        return PlainTextResponse(NOTHING_HERE, status_code=404)

    return nothing_here


def _explorer(ui: Path) -> list[BaseRoute]:
    index = ui / "index.html"

    def page(request: Request) -> Response:  # noqa: ARG001
        # Looked up each time: the explorer may be built while the server runs.
        if not index.is_file():
            return PlainTextResponse(UI_MISSING, status_code=404)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    return [
        *(Route(path, page) for path in UI_PATHS),
        Mount("/assets", StaticFiles(directory=ui / "assets", check_dir=False)),
    ]
