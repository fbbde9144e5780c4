"""The rooms put together into one ASGI application."""

import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from observatory.api import Api, BadRequest, bad_request
from observatory.budget import Budget
from observatory.guard import Guard
from observatory.receive import Receiver
from observatory.store import Store

BUDGET_BYTES = 96 * 2**20
UI_MISSING = "The explorer isn't built yet. ./scripts/dev builds it; the API is under /api.\n"


def create_app(
    store: Store,
    ui: Path,
    *,
    hosts: Iterable[str] = (),
    origins: Iterable[str] = (),
    budget_bytes: int = BUDGET_BYTES,
) -> Starlette:
    """The application over ``store``, which it closes when the server shuts down.

    Args:
        store: an open store.
        ui: the folder with the built explorer; may be absent.
        hosts: host names to answer to besides loopback's.
        origins: origins that may send telemetry besides loopback's.
        budget_bytes: how much telemetry may be on its way to the disk at once.
    """
    budget = Budget(budget_bytes)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001
        yield
        store.close()

    return Starlette(
        routes=[
            *Receiver(store, budget).routes,
            *Api(store, budget, boot=secrets.token_hex(4)).routes,
            *_explorer(ui),
        ],
        middleware=[Middleware(Guard, hosts=hosts, origins=origins)],
        exception_handlers={BadRequest: bad_request},
        lifespan=lifespan,
    )


def _explorer(ui: Path) -> list[BaseRoute]:
    index = ui / "index.html"

    def page(request: Request) -> Response:  # noqa: ARG001
        # Looked up each time: the explorer may be built while the server runs.
        if not index.is_file():
            return PlainTextResponse(UI_MISSING, status_code=404)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    return [
        Route("/", page),
        Route("/traces/{trace_id}", page),
        Mount("/assets", StaticFiles(directory=ui / "assets", check_dir=False)),
    ]
