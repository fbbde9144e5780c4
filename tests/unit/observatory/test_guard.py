"""Who may come in: hosts, origins, and what a browser may do with the answers."""

from collections.abc import Callable

import pytest

from observatory.__main__ import _listen, _parser
from tests.unit.observatory.conftest import Running

BODY = b""


def test_only_loopback_is_bound_unless_told() -> None:
    """By default nobody but this machine gets a connection at all."""
    options = _parser().parse_args([])
    with _listen(options.host, 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    told = _parser().parse_args(["--host", "0.0.0.0"])  # noqa: S104
    with _listen(told.host, 0) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:4318", "[::1]:4318", "LOCALHOST:4318"]
)
def test_loopback_names_are_answered(running: Running, host: str) -> None:
    """Any loopback name, whatever the port, is this machine."""
    assert running.http.get("/api/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4318", "127.0.0.1.evil.example", "localhost@evil.example", ""],
)
@pytest.mark.parametrize("path", ["/", "/api/traces", "/v1/traces"])
def test_other_host_names_are_refused(running: Running, host: str, path: str) -> None:
    """A request for another name, as DNS rebinding makes a browser send, is answered 421."""
    method = "POST" if path == "/v1/traces" else "GET"
    answer = running.http.request(method, path, headers={"host": host})
    assert answer.status_code == 421
    assert "--allow-host" in answer.json()["message"]


def test_a_host_may_be_allowed(start: Callable[..., Running]) -> None:
    """A name given at the start is answered to, in any case, and no other."""
    running = start(hosts=["Lab.example"])
    assert running.http.get("/api/health", headers={"host": "lab.example:80"}).status_code == 200
    assert running.http.get("/api/health", headers={"host": "example"}).status_code == 421


@pytest.mark.parametrize(
    "origin",
    ["http://127.0.0.1:5002", "http://localhost:3000", "http://[::1]:1", "http://localhost"],
)
def test_pages_of_this_machine_may_post(running: Running, origin: str) -> None:
    """A page on loopback, whatever its port, may send telemetry and read the answer."""
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    preflight = running.http.options("/v1/traces", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "content-type" in preflight.headers["access-control-allow-headers"]
    assert "POST" in preflight.headers["access-control-allow-methods"]
    answer = running.post("/v1/traces", BODY, origin=origin)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "origin" in answer.headers["vary"].lower()


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
def test_pages_of_elsewhere_may_not_post(running: Running, origin: str) -> None:
    """Telemetry from another site's page is refused, before and after the preflight."""
    for method in ("OPTIONS", "POST"):
        answer = running.http.request(method, "/v1/traces", headers={"origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_an_origin_may_be_allowed(start: Callable[..., Running]) -> None:
    """An origin given at the start may post; its scheme and host must be the same."""
    running = start(origins=["https://shop.example"])
    assert running.post("/v1/traces", BODY, origin="https://shop.example").status_code == 200
    assert running.post("/v1/traces", BODY, origin="http://shop.example").status_code == 403


def test_the_api_is_for_its_own_pages_only(running: Running) -> None:
    """No page of another origin may read the API, not even one on this machine."""
    answer = running.http.get("/api/traces", headers={"origin": "http://127.0.0.1:5002"})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/api/traces", f"/traces/{'ab' * 16}", "/nowhere"])
def test_every_answer_is_under_a_strict_policy(running: Running, path: str) -> None:
    """No inline script or style and no other host is allowed, whatever was asked for."""
    headers = running.http.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
