"""Check ``Host`` and ``Origin`` of each request, and add the CORS and security headers.

A page of any site can make a browser send requests to 127.0.0.1. The ``Host`` check stops a page
that points its own name there (DNS rebinding). The ``Origin`` check stops telemetry from pages that
are not on this machine, and every other change from pages other than the Observatory's.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observatory.receive.wire import Code

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
OTLP_PATHS = frozenset({"/v1/traces", "/v1/logs", "/v1/metrics"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PREFLIGHT_SECONDS = 600


class Guard:
    """ASGI middleware that checks ``Host`` and ``Origin`` and adds the security headers.

    Args:
        app: the application to guard.
        hosts: host names, without port, to accept besides loopback's.
        origins: origins, such as ``https://app.example``, that may send telemetry besides
            loopback's.
    """

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str] = (), origins: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._hosts = LOOPBACK_HOSTS | {host.lower().strip("[]") for host in hosts}
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        response = self._refusal(scope, headers)
        origin = headers.get("origin")
        telemetry = scope["path"] in OTLP_PATHS
        if response is None and telemetry and origin and scope["method"] == "OPTIONS":
            response = _preflight(headers)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    out.setdefault(name, value)
                if telemetry:
                    out.add_vary_header("Origin")
                    if origin and self._may_post(origin):
                        out["Access-Control-Allow-Origin"] = origin
                        # navigator.sendBeacon sends with credentials, and a browser then insists
                        # on this header (otel-js#3062). There are no credentials to protect here.
                        out["Access-Control-Allow-Credentials"] = "true"
                else:
                    out["Cross-Origin-Resource-Policy"] = "same-origin"
            await send(message)

        await (response or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if _host_name(host) not in self._hosts:
            return _error(
                421,
                f"Host {host!r} is not this Observatory's: use localhost, or start the "
                "Observatory with --allow-host.",
            )
        origin = headers.get("origin")
        if scope["path"] in OTLP_PATHS and origin and not self._may_post(origin):
            return _error(
                403,
                f"Origin {origin!r} may not send telemetry here: start the Observatory with "
                "--allow-origin.",
            )
        if (
            scope["path"] not in OTLP_PATHS
            and scope["method"] not in SAFE_METHODS
            and origin
            and origin.lower() != f"{scope['scheme']}://{host.lower()}"
        ):
            return _error(
                403,
                f"Origin {origin!r} may not change anything here: only the Observatory's page may.",
            )
        return None

    def _may_post(self, origin: str) -> bool:
        if origin.lower() in self._origins:
            return True
        try:
            parts = urlsplit(origin)
            parts.port  # noqa: B018  # raises when it isn't a port
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.hostname in LOOPBACK_HOSTS


def _host_name(host: str) -> str | None:
    if any(character in host for character in "/@?#\\"):
        return None
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _error(http_status: int, message: str) -> Response:
    return JSONResponse(
        {"code": Code.PERMISSION_DENIED, "message": message}, status_code=http_status
    )


def _preflight(headers: Headers) -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": headers.get(
                "access-control-request-headers", "content-type"
            ),
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        },
    )
