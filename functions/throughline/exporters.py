"""Export to any OTLP endpoint over HTTP, with Google's credentials to Google's own endpoint.

OpenTelemetry's exporters read endpoints, headers, compression and certificates themselves, from the
variables of the OTLP exporter specification. This module adds what they leave open.
"""

from __future__ import annotations

import functools
import logging
import threading
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.trace.export import SpanExportResult

from throughline.group_delivery import RecordExport, SpanExport

if TYPE_CHECKING:
    import requests

# A request waits for its telemetry's export, so this bounds what a slow endpoint costs a caller.
EXPORT_TIMEOUT_SECONDS = 1.0
# Exports overlap, up to one per thread of the server; each keeps its connection.
_CONNECTIONS_MAX = 64

#: The only address that Google's credentials are ever sent to.
GOOGLE = "https://telemetry.googleapis.com"
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

_log = logging.getLogger(__name__)

Signal = Literal["TRACES", "LOGS"]


def span_export(environment: Mapping[str, str]) -> SpanExport | None:
    """Return a function that exports spans and returns whether the endpoint accepted them.

    The result is None if `OTEL_TRACES_EXPORTER` is "none".
    """
    if _is_off("TRACES", environment):
        return None
    exporter = OTLPSpanExporter(**_options("TRACES", environment))
    return lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS


def record_export(environment: Mapping[str, str]) -> RecordExport | None:
    """Return a function that exports log records and returns whether the endpoint accepted them.

    The result is None if `OTEL_LOGS_EXPORTER` is "none".
    """
    if _is_off("LOGS", environment):
        return None
    exporter = OTLPLogExporter(**_options("LOGS", environment))
    return lambda records: exporter.export(records) is LogRecordExportResult.SUCCESS


def _is_off(signal: Signal, environment: Mapping[str, str]) -> bool:
    return environment.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() == "none"


def _options(signal: Signal, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of OpenTelemetry's exporter that it does not read by itself."""

    def of(name: str) -> str:
        return (
            environment.get(f"OTEL_EXPORTER_OTLP_{signal}_{name}")
            or environment.get(f"OTEL_EXPORTER_OTLP_{name}")
            or ""
        )

    has_provider = any(
        environment.get(f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{scope}CREDENTIAL_PROVIDER")
        for scope in ("", f"{signal}_")
    )
    session = None
    if not has_provider:
        is_googles = _is_googles(of("ENDPOINT"))
        session = (_google_session() if is_googles else None) or _persistent_session()
    return {
        "timeout": None if of("TIMEOUT") else EXPORT_TIMEOUT_SECONDS,
        "session": session,
    }


def _persistent_session() -> requests.Session:
    """Return a session that posts over persistent connections with little CPU time per request.

    For each request, requests looks for proxies and a .netrc, merges cookies and prepares headers:
    1 ms of CPU, while other threads wait for Python's global lock. If the environment names
    proxies, an ordinary session is returned.
    """
    import requests  # noqa: PLC0415  (the exporters import both as late)
    import urllib3  # noqa: PLC0415

    if any(urllib.request.getproxies().get(scheme) for scheme in ("http", "https", "all")):
        return _with_connections(requests.Session())

    class PersistentSession(requests.Session):
        """Calls urllib3 directly; `verify` and `cert` have the same meaning as in requests."""

        def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
            pool, path = self._pool_of(url)
            try:
                reply = pool.urlopen(
                    method,
                    path,
                    body=options["data"],
                    headers=options["headers"],
                    timeout=urllib3.Timeout(total=options["timeout"]),
                    retries=False,
                    redirect=False,
                )
            except urllib3.exceptions.TimeoutError as error:
                raise requests.exceptions.Timeout(error) from error
            except urllib3.exceptions.HTTPError as error:
                raise requests.exceptions.ConnectionError(error) from error
            response = requests.Response()
            response.status_code = reply.status
            response.reason = reply.reason or ""
            response.headers = requests.structures.CaseInsensitiveDict(reply.headers)
            response._content = reply.data
            return response

        @functools.cache  # noqa: B019  (a session lives as long as the process)
        def _pool_of(self, url: str) -> tuple[urllib3.HTTPConnectionPool, str]:
            address = urllib3.util.parse_url(url)
            options: dict[str, Any] = {"maxsize": _CONNECTIONS_MAX}
            if address.scheme == "https":
                options["cert_reqs"] = "CERT_REQUIRED" if self.verify else "CERT_NONE"
                bundle = self.verify if isinstance(self.verify, str) else None
                options["ca_certs"] = bundle or requests.utils.DEFAULT_CA_BUNDLE_PATH
                if isinstance(self.cert, tuple):
                    options["cert_file"], options["key_file"] = self.cert
                else:
                    options["cert_file"] = self.cert
            manager = urllib3.PoolManager(**options)
            return manager.connection_from_url(url), address.request_uri

    return PersistentSession()


def _with_connections(session: requests.Session) -> requests.Session:
    """Let `requests` keep a connection for each overlapping export; its default is ten."""
    import requests.adapters  # noqa: PLC0415

    adapter = requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS_MAX)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _is_googles(endpoint: str) -> bool:
    return endpoint == GOOGLE or endpoint.startswith(f"{GOOGLE}/")


@functools.cache
def _google_session() -> requests.Session | None:
    """Return a session that signs requests as the function's service account.

    None without credentials, which is logged. google-auth is part of every Firebase app in Python,
    and is imported only where telemetry goes to Google.
    """
    try:
        import google.auth  # noqa: PLC0415
        from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415

        credentials, _ = google.auth.default(scopes=[_GOOGLE_SCOPE])
        _refresh_once(credentials)
        session: requests.Session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        _with_connections(session)
    except Exception as error:  # noqa: BLE001  (without telemetry the function still works)
        _log.warning(
            "There are no Google credentials, so telemetry is sent to %s without them: %s",
            GOOGLE,
            error,
        )
        return None
    return session


def _refresh_once(credentials: Any) -> None:
    """Let overlapping exports share one new token; google-auth would fetch one for each."""
    lock, before_request = threading.Lock(), credentials.before_request

    def before_one_request(*arguments: Any) -> None:
        with lock:
            before_request(*arguments)

    credentials.before_request = before_one_request
