"""The guard: accepted hosts and origins, and the security headers of responses."""

from collections.abc import Callable

import pytest

from observatory.listening import listen
from observatory.options import create_parser
from tests.unit.observatory.conftest import Running

BODY = b""


def test_only_loopback_is_bound_by_default() -> None:
    """Other addresses are bound only with ``--host``."""
    options = create_parser().parse_args([])
    with listen(options.host, 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    options_with_host = create_parser().parse_args(["--host", "0.0.0.0"])  # noqa: S104
    with listen(options_with_host.host, 0) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:4318", "[::1]:4318", "LOCALHOST:4318"]
)
def test_loopback_host_names_are_accepted(running: Running, host: str) -> None:
    """Any loopback name is accepted, with any port."""
    assert running.http.get("/api/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4318", "127.0.0.1.evil.example", "localhost@evil.example", ""],
)
@pytest.mark.parametrize("path", ["/", "/api/traces", "/v1/traces"])
def test_other_host_names_are_refused(running: Running, host: str, path: str) -> None:
    """A request for another host name, as after DNS rebinding, gets a 421."""
    method = "POST" if path == "/v1/traces" else "GET"
    response = running.http.request(method, path, headers={"host": host})
    assert response.status_code == 421
    assert "--allow-host" in response.json()["message"]


def test_an_allowed_host_is_accepted(start: Callable[..., Running]) -> None:
    """Its case and port do not matter, and other hosts are still refused."""
    running = start(hosts=["Lab.example"])
    assert running.http.get("/api/health", headers={"host": "lab.example:80"}).status_code == 200
    assert running.http.get("/api/health", headers={"host": "example"}).status_code == 421


@pytest.mark.parametrize(
    "origin",
    ["http://127.0.0.1:5002", "http://localhost:3000", "http://[::1]:1", "http://localhost"],
)
def test_pages_of_this_machine_may_send_telemetry(running: Running, origin: str) -> None:
    """A page on loopback, with any port, may send telemetry and read the response."""
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    preflight = running.http.options("/v1/traces", headers=headers)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "content-type" in preflight.headers["access-control-allow-headers"]
    assert "POST" in preflight.headers["access-control-allow-methods"]
    response = running.post("/v1/traces", BODY, origin=origin)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert "origin" in response.headers["vary"].lower()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1:x",
        "null",
        "file://localhost",
    ],
)
def test_pages_of_other_sites_may_not_send_telemetry(running: Running, origin: str) -> None:
    """Both the preflight and the request are refused."""
    for method in ("OPTIONS", "POST"):
        response = running.http.request(method, "/v1/traces", headers={"origin": origin})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers


def test_an_allowed_origin_may_send_telemetry(start: Callable[..., Running]) -> None:
    """Both the scheme and the host must match."""
    running = start(origins=["https://shop.example"])
    assert running.post("/v1/traces", BODY, origin="https://shop.example").status_code == 200
    assert running.post("/v1/traces", BODY, origin="http://shop.example").status_code == 403


def test_pages_of_other_origins_cannot_read_the_api(running: Running) -> None:
    """This includes other pages on this machine."""
    response = running.http.get("/api/traces", headers={"origin": "http://127.0.0.1:5002"})
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/api/traces", f"/traces/{'ab' * 16}", "/nowhere"])
def test_every_response_has_a_strict_content_security_policy(running: Running, path: str) -> None:
    """The policy allows no inline scripts or styles and no other hosts."""
    headers = running.http.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
