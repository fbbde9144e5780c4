"""Firebase Hosting: serves the released files with the deployed headers, redirects and rewrites.

https://firebase.google.com/docs/hosting/full-config:
- Patterns are globs; a `regex` pattern is RE2. The first redirect or rewrite that matches counts.
- In this order: redirects, the exact file, rewrites, 404.html.
- Of `headers` every matching one applies; for the same header the last one counts.
- A response of a file has `Cache-Control: max-age=3600` unless a header says otherwise:
  https://firebase.google.com/docs/hosting/manage-cache
- A rewrite calls a function under its own host name, and forwards the site's in `X-Forwarded-Host`;
  it times out after 60 seconds: https://firebase.google.com/docs/hosting/functions. The page does
  not say which headers Hosting adds; `X-Forwarded-Host` is what users report and what the emulator
  of firebase-tools sends.
- Only the cookie `__session` is passed to a function: https://firebase.google.com/docs/hosting/manage-cache
"""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import re2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cloud.deployment.deployed import Site
from cloud.runtime.front_end import Answer, FrontEnd

REWRITE_TIMEOUT_SECONDS = 60.0


class Hosting:
    """Serves one site."""

    def __init__(self, site: Site, front_end: FrontEnd) -> None:
        self._site = site
        self._front_end = front_end

    async def respond(self, request: Request) -> Response:
        """Return the response to a request of the site."""
        path = request.url.path
        for redirect in _list(self._site.config, "redirects"):
            if matches(redirect, path):
                return RedirectResponse(redirect["location"], redirect.get("statusCode", 301))
        if (file := self._file(path)) is not None:
            return self._with_headers(path, self._file_response(file))
        for rewrite in _list(self._site.config, "rewrites"):
            if matches(rewrite, path):
                return self._with_headers(path, await self._rewrite(rewrite, request))
        missing = self._file("/404.html")
        response = self._file_response(missing) if missing else Response("Not Found")
        response.status_code = 404
        return self._with_headers(path, response)

    def _file(self, path: str) -> str | None:
        """Return the name of the file that a path serves, with `cleanUrls` if it is set."""
        names = [path, f"{path.rstrip('/')}/index.html"]
        if self._site.config.get("cleanUrls"):
            names.append(f"{path.rstrip('/')}.html")
        return next((name for name in names if name in self._site.files), None)

    def _file_response(self, name: str) -> Response:
        kind, _ = mimetypes.guess_type(name)
        kind = {"text/javascript": "text/javascript; charset=utf-8"}.get(kind or "", kind)
        response = Response(self._site.files[name].read_bytes(), media_type=kind)
        response.headers["cache-control"] = "max-age=3600"
        return response

    def _with_headers(self, path: str, response: Response) -> Response:
        for header in _list(self._site.config, "headers"):
            if matches(header, path):
                for name, value in header["headers"].items():
                    response.headers[name] = value
        return response

    async def _rewrite(self, rewrite: Mapping[str, Any], request: Request) -> Response:
        if "path" in rewrite:
            name = self._file(rewrite["path"])
            return self._file_response(name) if name else Response("Not Found", 404)
        run = rewrite.get("run") or {}
        service = next(
            (
                service
                for service in self._front_end.services
                if (service.function.region, service.function.service)
                == (run.get("region"), run.get("serviceId"))
            ),
            None,
        )
        if service is None:
            return Response(f"The rewrite {dict(rewrite)} leads to nothing deployed.", 404)
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        client = request.client.host if request.client else "127.0.0.1"
        headers = [
            *_for_function(request),
            ("x-forwarded-host", request.headers.get("host", "")),
        ]
        try:
            async with asyncio.timeout(REWRITE_TIMEOUT_SECONDS):
                answer = await self._front_end.handle(
                    service, request.method, target, headers, await request.body(), client
                )
        except TimeoutError:
            return Response("The function did not respond in time.", 504)
        return response_of(answer)


def matches(entry: Mapping[str, Any], path: str) -> bool:
    """Return whether a redirect, rewrite or header applies to a path."""
    if "regex" in entry:
        return re2.search(entry["regex"], path) is not None
    glob = entry["glob"]
    # A glob without a leading slash matches the path without its own.
    return (
        re.fullmatch(_regex(glob), path if glob.startswith(("/", "**")) else path[1:]) is not None
    )


def response_of(answer: Answer) -> Response:
    """Return the HTTP response for an answer, with its repeated headers."""
    response = Response(answer.body, answer.status_code)
    del response.headers["content-length"]
    for name, value in answer.headers:
        response.headers.append(name, value)
    response.headers["content-length"] = str(len(answer.body))
    return response


@lru_cache(maxsize=256)
def _regex(glob: str) -> str:
    """Translate a glob of firebase.json: `**`, `*`, `?`, `{a,b}`, `@(a|b)` and `[…]`."""
    out, at = "", 0
    while at < len(glob):
        if glob.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif glob.startswith("**", at):
            out, at = out + ".*", at + 2
        elif glob[at] == "*":
            out, at = out + "[^/]*", at + 1
        elif glob[at] == "?":
            out, at = out + "[^/]", at + 1
        elif glob.startswith(("@(", "{"), at):
            close, separator = (")", "|") if glob[at] == "@" else ("}", ",")
            end = glob.index(close, at)
            start = at + (2 if close == ")" else 1)
            choices = "|".join(_regex(choice) for choice in glob[start:end].split(separator))
            out, at = f"{out}(?:{choices})", end + 1
        elif glob[at] == "[":
            end = glob.index("]", at)
            out, at = out + glob[at : end + 1], end + 1
        else:
            out, at = out + re.escape(glob[at]), at + 1
    return out


def _for_function(request: Request) -> list[tuple[str, str]]:
    """Return the request's headers with no cookie but `__session`."""
    headers = []
    for name, value in request.headers.items():
        if name.lower() != "cookie":
            headers.append((name, value))
        elif session := re.search(r"(?:^|;\s*)(__session=[^;]*)", value):
            headers.append((name, session[1]))
    return headers


def _list(config: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    return config.get(key) or []
