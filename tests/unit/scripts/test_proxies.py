"""Tests that requests to this machine bypass HTTP proxies."""

from __future__ import annotations

import os
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import requests

from stack import proxies

DEAD_PROXY = "http://127.0.0.1:9"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server_url() -> Iterator[str]:
    """A server on loopback that answers 204."""
    with HTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=[None, "corp.example", "corp.example, 10.0.0.0/8"])
def _dead_proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*proxies.PROXIES, *proxies.EXEMPTIONS):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, DEAD_PROXY)
        monkeypatch.setenv(name.upper(), DEAD_PROXY)
    if request.param is not None:
        monkeypatch.setenv("no_proxy", request.param)
    # Set here so that monkeypatch restores them after the code under test has changed them.
    for name in proxies.EXEMPTIONS:
        monkeypatch.setenv(name, os.environ.get(name, ""))


@pytest.mark.usefixtures("_dead_proxy")
def test_loopback_is_reached_without_the_proxy(server_url: str) -> None:
    """This holds for each HTTP client that the scripts and the functions use."""
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get(server_url, timeout=10)
    proxies.bypass_for_loopback(os.environ)
    with urllib.request.urlopen(server_url, timeout=10) as response:  # noqa: S310
        assert response.status == 204
    assert httpx.get(server_url).status_code == 204
    assert requests.get(server_url, timeout=10).status_code == 204


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"no_proxy": "corp.example"}, "corp.example,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "a.example, localhost"}, "a.example,localhost,127.0.0.1,::1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_other_exemptions_are_kept(before: dict[str, str], after: str) -> None:
    """They are kept in both variables."""
    environment = dict(before)
    proxies.bypass_for_loopback(environment)
    assert environment["no_proxy"] == environment["NO_PROXY"] == after


def test_the_firebase_cli_gets_no_proxy() -> None:
    """It would use the proxy for its own emulators."""
    environment = {"HTTPS_PROXY": DEAD_PROXY, "http_proxy": DEAD_PROXY, "PATH": "/bin"}
    assert proxies.without_proxies(environment) == {"PATH": "/bin"}
