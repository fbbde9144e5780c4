"""Google's front end: receives every request of a function, and passes it to an instance.

- `traceparent` and `X-Cloud-Trace-Context` are the front end's own. Google documents that Cloud Run
  generates trace ids and adds both headers (https://docs.cloud.google.com/run/docs/trace), not what
  it does with the caller's; replacing the caller's is what users report. Few requests are sampled,
  so here none is.
- A function with internal ingress answers 404 to the internet, while Eventarc, Cloud Scheduler and
  Cloud Tasks of the project reach it: https://docs.cloud.google.com/run/docs/securing/ingress
- Private functions demand an identity token: https://docs.cloud.google.com/run/docs/authenticating/overview
- TLS ends here; `X-Forwarded-For` and `X-Forwarded-Proto` say who called and how:
  https://docs.cloud.google.com/run/docs/container-contract
- A request has at most 32 MiB: https://docs.cloud.google.com/run/quotas
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx

from cloud.runtime.identity import Identity
from cloud.runtime.instance import StartFailed
from cloud.runtime.service import NoInstance, Service

REQUEST_MAX_BYTES = 32 * 1024 * 1024

# RFC 9110, section 7.6.1, and what the client of the instance computes itself.
_HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding", "upgrade", "host", "content-length"),
    }
)
_REPLACED = frozenset({"traceparent", "x-cloud-trace-context"})
# httpx decodes a compressed body; the other two would describe the encoded one.
_NOT_RETURNED = _HOP_BY_HOP | {"content-encoding"}


@dataclass(frozen=True)
class Answer:
    """A response to a request of a function."""

    status_code: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Return whether the status is 2xx."""
        return 200 <= self.status_code < 300


class FrontEnd:
    """Passes requests to the services of one deployment."""

    def __init__(self, services: Iterable[Service], identity: Identity) -> None:
        self.services = list(services)
        self._identity = identity
        # Each connection is used once: Gunicorn closes an idle one after two seconds, also while
        # its process is stopped.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._client = httpx.AsyncClient(limits=limits, timeout=None, trust_env=False)  # noqa: S113

    def find(self, region: str, name: str) -> Service | None:
        """Return the service of a function, by its name in its region."""
        return next(
            (
                service
                for service in self.services
                if (service.function.region, service.function.name) == (region, name)
            ),
            None,
        )

    def find_url(self, url: str) -> tuple[Service, str] | None:
        """Return the service that a production address belongs to, and the path within it."""
        for service in self.services:
            for address in (service.function.url, service.function.uri):
                if url == address or url.startswith((f"{address}/", f"{address}?")):
                    return service, url.removeprefix(address) or "/"
        return None

    async def call(
        self, service: Service, account: str, headers: Mapping[str, str], body: bytes, path: str
    ) -> Answer:
        """POST to a function as one of Google's services does, with an account's identity token."""
        token = self._identity.token(account, service.function.uri)
        signed = {**headers, "authorization": f"Bearer {token}"}
        return await self._handle(service, "POST", path, list(signed.items()), body, "127.0.0.1")

    async def handle(  # noqa: PLR0913, PLR0917  (a request has that many parts)
        self,
        service: Service,
        method: str,
        path: str,
        headers: list[tuple[str, str]],
        body: bytes,
        client: str,
    ) -> Answer:
        """Return a function's response to a request from the internet, or the platform's own."""
        if service.function.is_internal:
            return _platform(404, "The requested URL was not found on this server.")
        return await self._handle(service, method, path, headers, body, client)

    async def _handle(  # noqa: PLR0913, PLR0917
        self,
        service: Service,
        method: str,
        path: str,
        headers: list[tuple[str, str]],
        body: bytes,
        client: str,
    ) -> Answer:
        function = service.function
        if len(body) > REQUEST_MAX_BYTES:
            return _platform(413, "Request too large.")
        by_name = {name.lower(): value for name, value in headers}
        refused = self._identity.refusal(by_name, (function.uri, function.url), function.invokers)
        if refused:
            return _platform(refused, "Your client does not have permission to get this URL.")
        passed = [
            (name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP | _REPLACED
        ]
        passed += [
            *_own_trace(),
            ("x-forwarded-for", client),
            ("x-forwarded-proto", "https"),
            ("forwarded", f'for="{client}";proto=https'),
            ("host", function.uri.removeprefix("https://")),
        ]
        return await self._send(service, method, path, passed, body)

    async def _send(
        self, service: Service, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> Answer:
        """Return an instance's response, or the platform's own if there is none."""
        function = service.function
        try:
            async with asyncio.timeout(function.timeout_seconds), service.instance() as instance:
                response = await self._client.request(
                    method, f"{instance.address}{path}", headers=headers, content=body
                )
        except TimeoutError:
            service.statistics.timeouts += 1
            return _platform(504, "upstream request timeout")
        except NoInstance as error:
            return _platform(429, str(error))
        except StartFailed:
            return _platform(503, "The container failed to start and listen on its port.")
        except httpx.HTTPError as error:
            service.statistics.failures.append(f"{function.name}: {type(error).__name__}")
            return _platform(503, "The instance ended the connection without a response.")
        # A preflight is answered by the framework; it does not invoke the function.
        service.statistics.invocations += method != "OPTIONS"
        returned = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name.lower() not in _NOT_RETURNED
        ]
        return Answer(response.status_code, returned, response.content)

    async def close(self) -> None:
        """Close the connections to the instances."""
        await self._client.aclose()


def _own_trace() -> list[tuple[str, str]]:
    """Return the headers of the front end's own span, which is not sampled."""
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    return [
        ("traceparent", f"00-{trace_id}-{span_id}-00"),
        ("x-cloud-trace-context", f"{trace_id}/{int(span_id, 16)};o=0"),
    ]


def _platform(status_code: int, text: str) -> Answer:
    return Answer(status_code, [("content-type", "text/plain")], text.encode())
