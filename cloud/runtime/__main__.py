"""Runs a deployment that cloud.deployment stored: `python -m cloud.runtime --help`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import logging
import signal
import sys
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette

from cloud.deployment.deployed import BadDeployment, Deployed
from cloud.runtime import apps, google_apis
from cloud.runtime.runtime import HOST, Addresses, Runtime
from cloud.runtime.source import Builder


def main() -> int:
    """Run the deployment until SIGINT or SIGTERM; return the exit status."""
    options = _parse()
    logging.basicConfig(format="%(message)s")
    try:
        asyncio.run(_serve(options))
    except (BadDeployment, httpx.HTTPError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(options: argparse.Namespace) -> None:
    ports = {field.name: getattr(options, field.name) for field in dataclasses.fields(Addresses)}
    folder = options.folder.resolve()
    runtime = Runtime(
        Deployed(options.deployment.resolve(), options.project),
        Addresses(**ports),
        folder,
        Builder(folder / "sources", options.cache.resolve(), options.uv, options.python),
        idle_seconds=options.idle_seconds,
    )
    runtime.prepare()
    apis = google_apis.create_app(runtime.front_end, runtime.delivery, runtime.queues)
    servers = [
        _server(apps.internal_app(runtime), options.internal),
        _server(apps.front_end_app(runtime), options.front_end),
        _server(apps.hosting_app(runtime), options.hosting),
        _server(apis, options.apis, runtime),
    ]
    serving = [asyncio.create_task(server.serve()) for server in servers]
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        await runtime.start()
        print("ready", flush=True)
        await ended.wait()
    finally:
        await runtime.stop()
        for server in servers:
            server.should_exit = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.gather(*serving, return_exceptions=True)


class _Server(uvicorn.Server):
    """A server that leaves the signals to this module."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def _server(app: Starlette, port: int, tls: Runtime | None = None) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        log_level="warning",
        # The instance's own headers are passed on.
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=3,
        ssl_certfile=str(tls.certificate) if tls else None,
        ssl_keyfile=str(tls.certificate_key) if tls else None,
    )
    return _Server(config)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cloud.runtime", description=__doc__)
    parser.add_argument("--deployment", type=Path, required=True, help="what was deployed")
    parser.add_argument("--project", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for sources and logs")
    parser.add_argument("--cache", type=Path, required=True, help="for built environments")
    parser.add_argument("--uv", default="uv", help="the uv that installs requirements")
    parser.add_argument("--python", default=sys.executable, help="the functions' interpreter")
    parser.add_argument("--idle-seconds", type=float, default=30.0)
    for port in ("front-end", "hosting", "internal", "apis", "proxy"):
        parser.add_argument(f"--{port}", type=int, required=True, help="a port")
    for emulator in ("firestore", "auth", "pubsub"):
        parser.add_argument(f"--{emulator}", required=True, help="host:port of the emulator")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
