"""Export to any OTLP endpoint over HTTP, with Google's credentials to Google's own endpoint.

The variables of the OTLP exporter specification say where to and how
(opentelemetry.io/docs/specs/otel/protocol/exporter). Exports are posted by `otlp_http`. Behind a
proxy, to Google, and with a credential provider they are posted by OpenTelemetry's exporters, in
threads.
"""

from __future__ import annotations

import functools
import logging
import ssl
import threading
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.util.re import parse_env_headers

from throughline import otlp_encoding, otlp_http
from throughline.delivery import Export, Outage
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
_DEFAULT_ENDPOINT = "http://localhost:4318"

_log = logging.getLogger(__name__)

Sent = TypeVar("Sent")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Signal:
    """What differs between spans and log records in OTLP over HTTP."""

    name: Literal["TRACES", "LOGS"]
    path: str
    encode: Callable[[Sequence[Any]], otlp_encoding.Encoded]
    response: Any
    rejected_field: str


SPANS = Signal(
    "TRACES", "v1/traces", otlp_encoding.spans, ExportTraceServiceResponse, "rejected_spans"
)
RECORDS = Signal(
    "LOGS", "v1/logs", otlp_encoding.records, ExportLogsServiceResponse, "rejected_log_records"
)

#: Sends the body of an export request in protobuf, and returns a function that waits for the
#: endpoint's answer. Neither raises.
Post = Callable[[bytes], Callable[[], otlp_http.Answer]]


def span_export(environment: Mapping[str, str], outage: Outage) -> SpanExport | None:
    """Return the function that sends spans to the endpoint that the environment names.

    The result is None if `OTEL_TRACES_EXPORTER` is "none". `outage` counts the spans that the
    endpoint rejects in an answer of 200.
    """
    return _export(SPANS, environment, outage)


def record_export(environment: Mapping[str, str], outage: Outage) -> RecordExport | None:
    """Return the function that sends log records to the endpoint that the environment names.

    The result is None if `OTEL_LOGS_EXPORTER` is "none". `outage` counts the log records that the
    endpoint rejects in an answer of 200.
    """
    return _export(RECORDS, environment, outage)


def _export(signal: Signal, environment: Mapping[str, str], outage: Outage) -> Export[Any] | None:
    if _is_off(signal, environment):
        return None
    settings = _Settings(signal, environment)
    if settings.has_credential_provider:
        return _in_threads(_exporter(signal, settings, None))
    session = _session_for(settings)
    if session is not None:

        def after(response: requests.Response, **_: object) -> None:
            if response.ok and response.content:
                content_type = response.headers.get("content-type", "")
                note_rejected(signal, outage, response.content, content_type)

        session.hooks["response"].append(after)
        return _in_threads(_exporter(signal, settings, session))
    return _posted(signal, settings.endpoint(), outage)


def post(signal: Signal, environment: Mapping[str, str]) -> Post | None:
    """Return the function that posts encoded telemetry to the endpoint that the environment names.

    The result is None if the signal's exporter is "none". A credential provider is not used: it
    belongs to OpenTelemetry's exporters, which accept only spans and log records of this process.
    """
    if _is_off(signal, environment):
        return None
    settings = _Settings(signal, environment)
    endpoint, session = settings.endpoint(), _session_for(settings)
    return endpoint.post if session is None else _post_in_threads(session, endpoint)


def _post_in_threads(session: requests.Session, endpoint: otlp_http.Endpoint) -> Post:
    def send(body: bytes) -> otlp_http.Answer:
        try:
            response = session.post(
                endpoint.url,
                endpoint.compress(body),
                headers=endpoint.headers,
                timeout=endpoint.timeout_seconds,
                # A redirect must not take the key to another host.
                allow_redirects=False,
            )
        except Exception:  # noqa: BLE001  (those of requests and google-auth; any means the same)
            return otlp_http.NO_ANSWER
        fields = response.headers
        return otlp_http.Answer(
            response.status_code,
            response.content,
            fields.get("content-type", ""),
            fields.get("retry-after", ""),
        )

    return _in_threads(send)


def _is_off(signal: Signal, environment: Mapping[str, str]) -> bool:
    return environment.get(f"OTEL_{signal.name}_EXPORTER", "").strip().lower() == "none"


def _posted(signal: Signal, endpoint: otlp_http.Endpoint, outage: Outage) -> Export[Any]:
    """Return the export that posts to `endpoint` without other threads."""

    def export(batch: Sequence[Any]) -> Callable[[], bool]:
        encoded = signal.encode(batch)
        outage.drop(encoded.left_out)
        answered = endpoint.post(encoded.body)

        def is_accepted() -> bool:
            answer = answered()
            if not 200 <= answer.status < 300:
                return False
            if answer.body:
                note_rejected(signal, outage, answer.body, answer.content_type)
            return True

        return is_accepted

    return export


def note_rejected(signal: Signal, outage: Outage, body: bytes, content_type: str) -> None:
    """Report what an answer of 200 says was rejected; OTLP calls that a partial success."""
    response = signal.response()
    try:
        if content_type.partition(";")[0].strip().lower() == "application/json":
            # Imported for the few endpoints that answer protobuf in JSON.
            from google.protobuf import json_format  # noqa: PLC0415

            json_format.Parse(body, response, ignore_unknown_fields=True)
        else:
            response.ParseFromString(body)
    except Exception:  # noqa: BLE001  (protobuf's and the JSON parser's; any means the same)
        outage.doubt()
        return
    partial = response.partial_success
    rejected = getattr(partial, signal.rejected_field)
    if rejected > 0:
        outage.reject(rejected, partial.error_message)


class _Settings:
    """The variables of the OTLP exporter specification for one signal."""

    def __init__(self, signal: Signal, environment: Mapping[str, str]) -> None:
        self._signal = signal
        self._environment = environment

    def of(self, name: str) -> str:
        """Return the signal's own variable, or else the one for all signals, or ""."""
        return (
            self._environment.get(f"OTEL_EXPORTER_OTLP_{self._signal.name}_{name}")
            or self._environment.get(f"OTEL_EXPORTER_OTLP_{name}")
            or ""
        )

    @property
    def has_credential_provider(self) -> bool:
        return any(
            self._environment.get(f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{scope}CREDENTIAL_PROVIDER")
            for scope in ("", f"{self._signal.name}_")
        )

    @property
    def timeout_seconds(self) -> float:
        """The time-out, in seconds as OpenTelemetry's exporters for Python read it."""
        value = self.of("TIMEOUT")
        try:
            seconds = float(value or EXPORT_TIMEOUT_SECONDS)
        except ValueError:
            seconds = 0.0
        if seconds > 0:
            return seconds
        _log.warning(
            "OTEL_EXPORTER_OTLP_TIMEOUT is %r, not a number of seconds above zero; %g is used",
            value,
            EXPORT_TIMEOUT_SECONDS,
        )
        return EXPORT_TIMEOUT_SECONDS

    def endpoint(self) -> otlp_http.Endpoint:
        url = self._environment.get(f"OTEL_EXPORTER_OTLP_{self._signal.name}_ENDPOINT")
        if not url:
            base = self.of("ENDPOINT") or _DEFAULT_ENDPOINT
            url = f"{base.removesuffix('/')}/{self._signal.path}"
        return otlp_http.Endpoint(
            url,
            parse_env_headers(self.of("HEADERS"), liberal=True),
            self.timeout_seconds,
            self.of("COMPRESSION").strip().lower(),
            self._tls() if url.startswith("https:") else None,
        )

    def _tls(self) -> ssl.SSLContext:
        authority = self.of("CERTIFICATE")
        context = ssl.create_default_context(cafile=authority or _default_authorities())
        if certificate := self.of("CLIENT_CERTIFICATE"):
            context.load_cert_chain(certificate, self.of("CLIENT_KEY") or None)
        return context


def _default_authorities() -> str | None:
    """Return the file of certifi's authorities, which `requests` trusts too, if it is installed."""
    try:
        import certifi  # noqa: PLC0415
    except ImportError:
        return None
    return certifi.where()


def _exporter(
    signal: Signal, settings: _Settings, session: requests.Session | None
) -> Callable[[Sequence[Any]], bool]:
    """Return the export of OpenTelemetry's exporter, which reads the environment itself."""
    timeout = settings.timeout_seconds
    if signal is SPANS:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )

        exporter: Any = OTLPSpanExporter(session=session, timeout=timeout)
    else:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # noqa: PLC0415
            OTLPLogExporter,
        )

        exporter = OTLPLogExporter(session=session, timeout=timeout)
    return lambda batch: exporter.export(batch).name == "SUCCESS"


def _in_threads(send: Callable[[Sent], Result]) -> Callable[[Sent], Callable[[], Result]]:
    """Return `send` in two steps: it runs in a thread until its result is wanted."""
    pool = ThreadPoolExecutor(_CONNECTIONS_MAX, "throughline-export")

    def untraced(sent: Sent) -> Result:
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        try:
            return send(sent)
        finally:
            detach(token)

    def start(sent: Sent) -> Callable[[], Result]:
        try:
            return pool.submit(untraced, sent).result
        except RuntimeError:  # The interpreter is ending and starts no more threads.
            return functools.partial(untraced, sent)

    return start


def _session_for(settings: _Settings) -> requests.Session | None:
    """Return the session for Google's endpoint or behind a proxy; None if no session is needed."""
    session = _google_session() if _is_googles(settings.of("ENDPOINT")) else None
    return _session() if session is None and _has_proxy() else session


def _has_proxy() -> bool:
    return any(urllib.request.getproxies().get(scheme) for scheme in ("http", "https", "all"))


def _session() -> requests.Session:
    import requests  # noqa: PLC0415  (only here, because the import takes long)

    return _with_connections(requests.Session())


def _with_connections(session: requests.Session) -> requests.Session:
    """Let `requests` keep a connection for each overlapping export; its default is ten."""
    import requests.adapters  # noqa: PLC0415

    adapter = requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS_MAX)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _is_googles(endpoint: str) -> bool:
    return endpoint == GOOGLE or endpoint.startswith(f"{GOOGLE}/")


def _google_session() -> requests.Session | None:
    """Return a session that signs requests as the function's service account.

    None without credentials. google-auth is part of every Firebase app in Python, and is imported
    only where telemetry goes to Google.
    """
    credentials = _google_credentials()
    if credentials is None:
        return None
    from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415

    return _with_connections(AuthorizedSession(credentials))  # type: ignore[no-untyped-call]


@functools.cache
def _google_credentials() -> Any:
    """Return the credentials that both signals share; None, which is logged, without any."""
    try:
        import google.auth  # noqa: PLC0415
        import google.auth.transport.requests  # noqa: PLC0415

        credentials, _ = google.auth.default(scopes=[_GOOGLE_SCOPE])
        _refresh_once(credentials)
    except Exception as error:  # noqa: BLE001  (without telemetry the function still works)
        _log.warning(
            "There are no Google credentials, so telemetry is sent to %s without them: %s",
            GOOGLE,
            error,
        )
        return None
    return credentials


def _refresh_once(credentials: Any) -> None:
    """Let overlapping exports share one new token; google-auth would fetch one for each."""
    lock, before_request = threading.Lock(), credentials.before_request

    def before_one_request(*arguments: Any) -> None:
        with lock:
            before_request(*arguments)

    credentials.before_request = before_one_request
