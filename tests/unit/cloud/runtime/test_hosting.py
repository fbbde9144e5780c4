"""The site is served with the deployed headers, redirects and rewrites."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from cloud.deployment.deployed import Site
from cloud.runtime.apps import hosting_app
from cloud.runtime.front_end import FrontEnd
from cloud.runtime.hosting import Hosting, matches
from cloud.runtime.identity import Identity
from tests.unit.cloud.runtime.deployments import function, service_in

CONFIG = {
    "redirects": [{"glob": "/old", "location": "/new", "statusCode": 302}],
    "headers": [
        {"glob": "**", "headers": {"X-Frame-Options": "DENY", "Cache-Control": "no-cache"}},
        {"glob": "/assets/**", "headers": {"Cache-Control": "max-age=31536000, immutable"}},
    ],
    "rewrites": [
        {"glob": "/headers", "run": {"serviceId": "quote", "region": "us-central1"}},
        {"glob": "/gone", "run": {"serviceId": "missing", "region": "us-central1"}},
        {"glob": "/docs/**", "path": "/docs/404.html"},
        {"glob": "**", "path": "/index.html"},
    ],
}
FILES = {"/index.html": "<p>home", "/docs/index.html": "<p>docs", "/assets/a.js": "x"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TestClient]:
    """A client of the site, with one function behind it."""
    stored = {}
    for path, text in FILES.items():
        stored[path] = tmp_path / path.replace("/", "_")
        stored[path].write_text(text)
    service = service_in(tmp_path)(function())
    front_end = FrontEnd([service], Identity())
    runtime: Any = SimpleNamespace(hosting=Hosting(Site(stored, CONFIG), front_end))
    with TestClient(hosting_app(runtime), base_url="http://site.example") as client:
        yield client
        client.portal.call(service.shut_down)  # type: ignore[union-attr]
        client.portal.call(front_end.close)  # type: ignore[union-attr]


def test_files_rewrites_and_redirects_come_in_hostings_order(site: TestClient) -> None:
    """A file wins over a rewrite, a redirect over both."""
    assert site.get("/").text == "<p>home"
    assert site.get("/docs/").text == "<p>docs"
    assert site.get("/some/page").text == "<p>home"
    assert site.get("/docs/missing").status_code == 404
    redirect = site.get("/old", follow_redirects=False)
    assert (redirect.status_code, redirect.headers["location"]) == (302, "/new")
    assert site.get("/gone").status_code == 404


def test_the_last_matching_header_counts(site: TestClient) -> None:
    """Every other header of all matching entries applies too."""
    asset = site.get("/assets/a.js").headers
    assert asset["cache-control"] == "max-age=31536000, immutable"
    assert asset["x-frame-options"] == "DENY"
    assert asset["content-type"].startswith("text/javascript")
    assert site.get("/").headers["cache-control"] == "no-cache"


def test_a_rewrite_calls_the_function_under_its_own_host(site: TestClient) -> None:
    """The site's host is forwarded; of the cookies only `__session` is."""
    cookies = {"cookie": "tracking=1; __session=abc; other=2"}
    received = json.loads(site.get("/headers?show=a", headers=cookies).text)
    assert received["host"] == "quote-1.us-central1.run.app"
    assert received["x-forwarded-host"] == "site.example"
    assert received["cookie"] == "__session=abc"


@pytest.mark.parametrize(
    ("entry", "path", "expected"),
    [
        ({"glob": "**"}, "/a/b", True),
        ({"glob": "/api/*"}, "/api/a", True),
        ({"glob": "/api/*"}, "/api/a/b", False),
        ({"glob": "**/*.js"}, "/a/b.js", True),
        ({"glob": "**/*.@(js|css)"}, "/a.css", True),
        ({"glob": "**/*.@(js|css)"}, "/a.html", False),
        ({"glob": "/{a,b}/c"}, "/b/c", True),
        ({"glob": "/a.b"}, "/axb", False),
        ({"glob": "page"}, "/page", True),
        ({"regex": "^/v[12]/"}, "/v2/x", True),
        ({"regex": "^/v[12]/"}, "/v3/x", False),
    ],
)
def test_patterns_match_as_in_firebase_json(
    entry: dict[str, str], path: str, expected: bool
) -> None:
    """Globs and RE2 patterns select paths."""
    assert matches(entry, path) is expected
