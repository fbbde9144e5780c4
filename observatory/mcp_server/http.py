"""``/mcp``: MCP over streamable HTTP, in the process of the Observatory.

The server has no sessions and answers each POST with JSON, so nothing is kept between requests.
Hosts and origins are checked by ``observatory.guard``, as they are for the API.
"""

import asyncio
from types import ModuleType
from typing import TYPE_CHECKING

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from observatory.client import Observatory

PATH = "/mcp"


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
        in_process = await asyncio.to_thread(_import)
        self._client = in_process.create_client(app, asyncio.get_running_loop())
        manager: StreamableHTTPSessionManager = in_process.create_manager(self._client)
        ready = asyncio.Event()

        async def run() -> None:
            async with manager.run():
                ready.set()
                await self._stop.wait()

        self._running = asyncio.create_task(run())
        await ready.wait()
        return manager


def _import() -> ModuleType:
    # The SDK takes a second, which only those who use it should wait for.
    from observatory.mcp_server import in_process  # noqa: PLC0415

    return in_process
