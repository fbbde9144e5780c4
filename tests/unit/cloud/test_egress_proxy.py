"""A program's HTTPS requests reach what stands in for the API, or nothing."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from cloud.egress_proxy import EgressProxy
from cloud.runtime import certificate, google_apis
from cloud.runtime.events import EventDelivery
from cloud.runtime.front_end import FrontEnd
from cloud.runtime.identity import Identity
from tests.unit.local_server import free_port

DEADLINE_SECONDS = 20.0


@contextmanager
def proxied_apis(folder: Path) -> Iterator[tuple[int, EgressProxy]]:
    """Serve the simulated APIs behind a proxy, and yield the proxy's port."""
    port, proxy_port = free_port(), free_port()
    certificate.write(google_apis.HOSTS, folder / "apis.pem", folder / "apis.key")
    proxy = EgressProxy(lambda host: ("127.0.0.1", port) if host in google_apis.HOSTS else None)
    front_end = FrontEnd([], Identity())
    app = google_apis.create_app(front_end, EventDelivery(front_end), {})
    config = uvicorn.Config(
        app,
        port=port,
        log_level="error",
        ssl_certfile=str(folder / "apis.pem"),
        ssl_keyfile=str(folder / "apis.key"),
    )
    server = uvicorn.Server(config)
    is_ready = threading.Event()

    async def serve() -> None:
        listening = await proxy.serve(proxy_port)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        is_ready.set()
        await serving
        listening.close()
        await front_end.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert is_ready.wait(DEADLINE_SECONDS)
    try:
        yield proxy_port, proxy
    finally:
        server.should_exit = True
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive()


def test_requests_reach_the_simulated_apis_and_no_other_host(tmp_path: Path) -> None:
    """The certificate is valid for the APIs; another host is refused and recorded."""
    with proxied_apis(tmp_path) as (port, proxy):
        trust = ssl.create_default_context(cafile=str(tmp_path / "apis.pem"))
        with httpx.Client(proxy=f"http://127.0.0.1:{port}", verify=trust, timeout=10) as client:
            tasks = f"https://{google_apis.CLOUD_TASKS}/v2/projects/p/locations/l/queues/q/tasks"
            assert client.post(tasks, json={}).status_code == 401
            token = {"authorization": "Bearer x"}
            assert client.post(tasks, json={}, headers=token).status_code == 404
            unknown = client.get(f"https://{google_apis.CLOUD_TASKS}/v2/projects/p/locations")
            assert (unknown.status_code, unknown.json()["error"]["status"]) == (
                501,
                "UNIMPLEMENTED",
            )
            with pytest.raises(httpx.ProxyError, match="403"):
                client.get("https://vertex.googleapis.com/")
        assert proxy.refused == ["vertex.googleapis.com"]
