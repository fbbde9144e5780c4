"""The headers that Hosting adds to every response."""

from __future__ import annotations

import json
import re

import pytest

from stack import paths

HOSTING = json.loads((paths.ROOT / "firebase.json").read_text())["hosting"]


def headers(source: str) -> dict[str, str]:
    """Return the headers of one pattern."""
    [matching] = [each for each in HOSTING["headers"] if each["source"] == source]
    return {header["key"]: header["value"] for header in matching["headers"]}


def policy(source: str) -> dict[str, list[str]]:
    """Return the Content Security Policy of one pattern, by directive."""
    directives = headers(source)["Content-Security-Policy"].split("; ")
    return {name: values for name, *values in (directive.split() for directive in directives)}


def test_every_page_has_the_security_headers() -> None:
    """They apply to all paths."""
    assert set(headers("**")) - {"Cache-Control"} == {
        "Content-Security-Policy",
        "Cross-Origin-Opener-Policy",
        "Permissions-Policy",
        "Referrer-Policy",
        "Strict-Transport-Security",
        "X-Content-Type-Options",
        "X-Frame-Options",
    }


@pytest.mark.parametrize("source", ["**", "/docs/**"])
def test_no_page_runs_foreign_code_or_can_be_framed(source: str) -> None:
    """Scripts of other origins are reCAPTCHA's, which App Check needs."""
    directives = policy(source)
    assert directives["default-src"] == ["'self'"]
    for name in ("object-src", "base-uri", "frame-ancestors"):
        assert directives[name] == ["'none'"]
    for origin in directives["script-src"]:
        assert re.fullmatch(
            r"'self'|'unsafe-inline'|https://www\.(google|gstatic)\.com/recaptcha/", origin
        )


def test_the_app_has_no_inline_scripts_or_styles() -> None:
    """Only the documentation has, which takes no input."""
    assert "unsafe" not in headers("**")["Content-Security-Policy"]
    assert "'unsafe-inline'" in policy("/docs/**")["script-src"]


def test_the_policy_of_the_documentation_comes_last() -> None:
    """Of several patterns that match, Hosting uses the last one's value of a header."""
    sources = [each["source"] for each in HOSTING["headers"]]
    assert sources.index("**") < sources.index("/docs/**")
