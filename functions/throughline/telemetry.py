"""The one place that sets telemetry up, and the one that makes sure it leaves in time."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping

import flask
from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from throughline import carrier, exporters, firestore_calls, log, probe, sampling
from throughline.baggage_attributes import BaggageAttributes
from throughline.code_attributes import CodeAttributes
from throughline.delivery import Outage

_providers: list[TracerProvider | LoggerProvider] = []


def start(*, baggage: Mapping[str, str] | None = None) -> None:
    """Send this function's spans and log records to where `OTEL_EXPORTER_OTLP_ENDPOINT` points.

    OpenTelemetry's environment variables decide where, with which headers, and how much of it.

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
    project_id = os.environ.get("GCLOUD_PROJECT") or os.environ.get("GOOGLE_CLOUD_PROJECT")
    log.to_stdout(project_id)
    log.silence_opentelemetry()
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return

    resource = Resource.create(
        {
            "service.name": target,
            "service.instance.id": str(uuid.uuid4()),
            "cloud.provider": "gcp",
            "faas.name": target,
            "faas.version": os.environ.get("K_REVISION", ""),
            # Google's OTLP endpoint refuses what doesn't name its project.
            **({"gcp.project_id": project_id} if project_id else {}),
        }
    )
    outage = Outage()

    tracers = TracerProvider(resource=resource, sampler=sampling.sampler(os.environ))
    tracers.add_span_processor(firestore_calls.DatabaseAttributes())
    tracers.add_span_processor(BaggageAttributes(baggage or {}))
    tracers.add_span_processor(CodeAttributes())
    if spans := exporters.span_exporter(os.environ, outage):
        tracers.add_span_processor(BatchSpanProcessor(spans))
    trace.set_tracer_provider(tracers)

    loggers = LoggerProvider(resource=resource)
    if records := exporters.log_exporter(os.environ, outage):
        loggers.add_log_record_processor(BatchLogRecordProcessor(records))
        log.to_otlp(loggers)
    _logs.set_logger_provider(loggers)

    firestore_calls.trace_calls()
    _providers.extend([tracers, loggers])


def flush() -> None:
    """Deliver what has been recorded; returns within twice the export timeout."""
    for provider in _providers:
        provider.force_flush()
