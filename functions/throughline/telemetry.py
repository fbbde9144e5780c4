"""The one place that sets telemetry up, and the one that makes sure it leaves in time."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping

import flask
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from throughline import carrier, firestore_calls, log, probe
from throughline.baggage_attributes import BaggageAttributes
from throughline.delivery import Outage, PatientLogExporter, PatientSpanExporter

# A function's flush waits for its exporter, so this bounds what a slow Observatory costs a buyer.
EXPORT_TIMEOUT_SECONDS = 1.0

_providers: list[TracerProvider | LoggerProvider] = []


def start(*, baggage: Mapping[str, str] | None = None) -> None:
    """Send this function's spans and log records to where `OTEL_EXPORTER_OTLP_ENDPOINT` points.

    `baggage` says which keys of baggage may cross hops, in and out, and under which attribute each
    is put on every span that lacks it; every other key is dropped.

    Call it once, in main.py, before the functions are imported. It does nothing where no function
    is being served (the CLI also imports main.py to discover what it deploys) or where
    `OTEL_SDK_DISABLED` is true.
    """
    target = os.environ.get("FUNCTION_TARGET")
    if not target or flask.has_request_context() or _providers:
        return
    if flask.has_app_context():
        probe.answer_health_probes(flask.current_app)
    carrier.pass_on(baggage or {})
    log.to_stdout()
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return

    resource = Resource.create(
        {
            "service.name": target,
            "service.instance.id": str(uuid.uuid4()),
            "cloud.provider": "gcp",
            "faas.name": target,
            "faas.version": os.environ.get("K_REVISION", ""),
        }
    )
    timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else EXPORT_TIMEOUT_SECONDS
    outage = Outage()

    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(firestore_calls.DatabaseAttributes())
    tracers.add_span_processor(BaggageAttributes(baggage or {}))
    tracers.add_span_processor(
        BatchSpanProcessor(PatientSpanExporter(OTLPSpanExporter(timeout=timeout), outage))
    )
    trace.set_tracer_provider(tracers)

    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(
        BatchLogRecordProcessor(PatientLogExporter(OTLPLogExporter(timeout=timeout), outage))
    )
    _logs.set_logger_provider(loggers)
    log.to_otlp(loggers)

    firestore_calls.trace_calls()
    _providers.extend([tracers, loggers])


def flush() -> None:
    """Deliver what has been recorded; returns within twice the export timeout."""
    for provider in _providers:
        provider.force_flush()
