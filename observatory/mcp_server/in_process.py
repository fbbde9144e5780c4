"""The MCP server in the process of the Observatory, and its client for the API there."""

import asyncio
from typing import Any

import httpx
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import ASGIApp

from observatory.client import Observatory
from observatory.mcp_server.server import create_server
from observatory.mcp_server.tool import Call

API_URL = "http://127.0.0.1"


def create_client(app: ASGIApp, loop: asyncio.AbstractEventLoop) -> Observatory:
    """Return a client for the API of ``app``, which runs in ``loop``."""
    return Observatory(API_URL, transport=AppTransport(app, loop))


def create_manager(client: Observatory) -> StreamableHTTPSessionManager:
    """Return the server, whose tools use ``client``; it keeps nothing between requests."""

    def call_of(context: Any) -> Call:
        url = context.request.url
        return Call(client, f"{url.scheme}://{url.netloc}")

    return StreamableHTTPSessionManager(create_server(call_of), json_response=True, stateless=True)


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
