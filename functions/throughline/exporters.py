"""Where telemetry goes: to any OTLP endpoint over HTTP, with Google's credentials to Google's own.

Endpoints, headers, compression and certificates are read by OpenTelemetry's exporters themselves,
from the variables of the OTLP exporter specification. This module adds what they leave open.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.trace.export import SpanExporter

from throughline.delivery import Outage, PatientLogExporter, PatientSpanExporter

if TYPE_CHECKING:
    import requests

# A function's flush waits for its exporter, so this bounds what a slow endpoint costs a caller.
EXPORT_TIMEOUT_SECONDS = 1.0

#: The only address that Google's credentials are ever sent to.
GOOGLE = "https://telemetry.googleapis.com"
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

_log = logging.getLogger(__name__)

Signal = Literal["TRACES", "LOGS"]


def span_exporter(environment: Mapping[str, str], outage: Outage) -> SpanExporter | None:
    """What delivers spans; None where `OTEL_TRACES_EXPORTER` is "none"."""
    if _is_off("TRACES", environment):
        return None
    return PatientSpanExporter(OTLPSpanExporter(**_options("TRACES", environment)), outage)


def log_exporter(environment: Mapping[str, str], outage: Outage) -> LogRecordExporter | None:
    """What delivers log records; None where `OTEL_LOGS_EXPORTER` is "none"."""
    if _is_off("LOGS", environment):
        return None
    return PatientLogExporter(OTLPLogExporter(**_options("LOGS", environment)), outage)


def _is_off(signal: Signal, environment: Mapping[str, str]) -> bool:
    return environment.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() == "none"


def _options(signal: Signal, environment: Mapping[str, str]) -> dict[str, Any]:
    """What OpenTelemetry's exporter of `signal` is to be told beside what it reads by itself."""

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
    is_ours_to_sign = _is_googles(of("ENDPOINT")) and not has_provider
    return {
        "timeout": None if of("TIMEOUT") else EXPORT_TIMEOUT_SECONDS,
        "session": _google_session() if is_ours_to_sign else None,
    }


def _is_googles(endpoint: str) -> bool:
    return endpoint == GOOGLE or endpoint.startswith(f"{GOOGLE}/")


@functools.cache
def _google_session() -> requests.Session | None:
    """A session that signs requests as the function's service account; None without credentials.

    google-auth is part of every Firebase app in Python. It is the one thing that this folder takes
    from outside OpenTelemetry and flask, and is imported only where telemetry goes to Google.
    """
    try:
        import google.auth  # noqa: PLC0415
        from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415

        credentials, _ = google.auth.default(scopes=[_GOOGLE_SCOPE])
        session: requests.Session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    except Exception as why:  # noqa: BLE001  (without telemetry the function still works)
        _log.warning(
            "Telemetry is meant for %s, and there are no credentials for it: %s", GOOGLE, why
        )
        return None
    return session
