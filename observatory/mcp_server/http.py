"""``/mcp``: MCP over streamable HTTP, in the process of the Observatory.

The server has no sessions and answers each POST with JSON, so nothing is kept between requests.
Hosts and origins are checked by ``observatory.guard``, as they are for the API.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from observatory.client import Observatory
from observatory.mcp_server.tool import Call

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"
API_URL = "http://127.0.0.1"


class McpEndpoint:
    """The endpoint; its server is imported and started for the first request."""

    def __init__(self) -> None:
        self._starting = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._client: Observatory | None = None
        self._running: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    @property
    def route(self) -> Route:
        """The route; it accepts POST only, because there are no streams to open or delete."""
        return Route(PATH, self, methods=["POST"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        async with self._starting:
            if self._manager is None:
                self._manager = await self._started(scope["app"])
        await self._manager.handle_request(scope, receive, send)

    async def close(self) -> None:
        """Stop the server, if it was started."""
        self._stop.set()
        if self._running is not None:
            await self._running
        if self._client is not None:
            self._client.close()

    async def _started(self, app: ASGIApp) -> "StreamableHTTPSessionManager":
        transport = AppTransport(app, asyncio.get_running_loop())
        client = self._client = Observatory(API_URL, transport=transport)
        manager = await asyncio.to_thread(_create_manager, client)
        ready = asyncio.Event()

        async def run() -> None:
            async with manager.run():
                ready.set()
                await self._stop.wait()

        self._running = asyncio.create_task(run())
        await ready.wait()
        return manager


def _create_manager(client: Observatory) -> "StreamableHTTPSessionManager":
    # Importing the SDK takes a second, which only those who use it should wait for.
    from mcp.server.streamable_http_manager import (  # noqa: PLC0415
        StreamableHTTPSessionManager,
    )

    from observatory.mcp_server.server import create_server  # noqa: PLC0415

    def call_of(context: Any) -> Call:
        url = context.request.url
        return Call(client, f"{url.scheme}://{url.netloc}")

    return StreamableHTTPSessionManager(
        create_server(call_of),
        json_response=True,
        stateless=True,
    )


class AppTransport(httpx.BaseTransport):
    """Sends a client's requests to an ASGI application in an event loop, from other threads.

    So the tools use the API without a socket, whatever address the server listens on.
    """

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self._app = httpx.ASGITransport(app)
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the response."""
        return asyncio.run_coroutine_threadsafe(self._respond(request), self._loop).result()

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        response = await self._app.handle_async_request(request)
        return httpx.Response(
            response.status_code, headers=response.headers, content=await response.aread()
        )
