"""``observatory mcp``: MCP over stdin and stdout, for a running Observatory."""

import argparse

import anyio
from mcp.server.stdio import stdio_server

from observatory.client import DEFAULT_URL, Observatory
from observatory.mcp_server.server import create_server
from observatory.mcp_server.tool import Call

START_HINT = "observatory"


def main(arguments: list[str] | None = None) -> int:
    """Serve until stdin ends. Return 0."""
    parser = argparse.ArgumentParser(
        prog="observatory mcp",
        description="Serve the tools of a running Observatory to an assistant over stdin and "
        "stdout (Model Context Protocol). The Observatory serves the same over HTTP, at /mcp.",
    )
    parser.add_argument(
        "--url", default=DEFAULT_URL, help="the Observatory's address (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    with Observatory(options.url, start_hint=START_HINT) as client:
        anyio.run(_serve, client)
    return 0


async def _serve(client: Observatory) -> None:
    server = create_server(lambda _: Call(client, client.url))
    async with stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())
