"""Set up telemetry, and deliver it before a function answers."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import flask
from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from throughline import carrier, exporters, firestore_calls, log, outcomes, probe, sampling
from throughline.baggage_attributes import BaggageAttributes
from throughline.carrier import BaggageKey
from throughline.code_attributes import CodeAttributes
from throughline.delivery import Outage
from throughline.group_delivery import (
    BACKGROUND_DELAY_SECONDS,
    GROUP_DELAY_SECONDS,
    GroupDelivery,
    RecordCollector,
    SpanCollector,
)

# How long an export waits for other requests to join it, in milliseconds.
GROUP_DELAY = "THROUGHLINE_GROUP_DELAY_MILLIS"
# "true" if the CPU stays allocated after a response: Cloud Run's instance-based billing.
CPU_STAYS = "THROUGHLINE_CPU_STAYS_ALLOCATED"
# How long the background thread collects, in milliseconds; OpenTelemetry's own variable.
BACKGROUND_DELAY = "OTEL_BSP_SCHEDULE_DELAY"

PROJECT = "gcp.project_id"
# The resource attributes that the functions and the page of one deployment share.
_OF_DEPLOYMENT = (
    PROJECT,
    "service.namespace",
    "deployment.environment.name",
    "deployment.environment",
)

_delivery: list[GroupDelivery] = []
_log = logging.getLogger(__name__)


def start(*, baggage: Mapping[str, BaggageKey] | None = None, outcome: str | None = None) -> None:
    """Send this function's spans and log records to where `OTEL_EXPORTER_OTLP_ENDPOINT` points.

    OpenTelemetry's environment variables decide where, with which headers, and how much of it.

    `baggage` maps each baggage key that may cross hops to the attribute that shows it on spans and
    the pattern of its values. Other keys and other values are dropped.

    `outcome` is the attribute by which the app says how a consumer ended: a function started by a
    document, a message, a task, an event or a schedule. Where the app sets none, its value is
    "failed" if the function raised an exception, else "unreported".

    Call it once, in main.py, before the functions are imported. It does nothing where no function
    is being served (the CLI also imports main.py to discover what it deploys) or where
    `OTEL_SDK_DISABLED` is true.
    """
    target = os.environ.get("FUNCTION_TARGET")
    if not target or flask.has_request_context() or _delivery:
        return
    if flask.has_app_context():
        probe.answer_health_probes(flask.current_app)
    carrier.allow_baggage(baggage or {})
    outcomes.require(outcome)
    log.to_stdout(_project(os.environ).get(PROJECT), os.environ)
    log.silence_opentelemetry()
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return

    instance_id = str(uuid.uuid4())
    # `service.version` comes from OTEL_RESOURCE_ATTRIBUTES, which `create` reads.
    resource = Resource.create(
        {
            "service.name": target,
            "service.instance.id": instance_id,
            "cloud.provider": "gcp",
            "faas.name": target,
            # The platform's own id of an instance costs a request to the metadata server.
            "faas.instance": instance_id,
            "faas.version": os.environ.get("K_REVISION", ""),
            **_project(os.environ),
        }
    )
    delivery = _group_delivery(os.environ)

    tracers = TracerProvider(resource=resource, sampler=sampling.sampler(os.environ))
    tracers.add_span_processor(firestore_calls.DatabaseAttributes())
    tracers.add_span_processor(BaggageAttributes(baggage or {}))
    tracers.add_span_processor(CodeAttributes())
    tracers.add_span_processor(SpanCollector(delivery))
    trace.set_tracer_provider(tracers)

    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(RecordCollector(delivery))
    log.to_otlp(loggers)
    _logs.set_logger_provider(loggers)

    firestore_calls.trace_calls()
    _delivery.append(delivery)


def request() -> AbstractContextManager[None]:
    """Return a context manager to serve one request in; it waits for delivery when it is left.

    It does not wait where `THROUGHLINE_CPU_STAYS_ALLOCATED` is true: then a background thread
    delivers, and the end of the process delivers the rest.
    """
    return _delivery[0].request() if _delivery else nullcontext()


def flush() -> None:
    """Deliver what has been recorded; the export timeout bounds how long that takes."""
    for delivery in _delivery:
        delivery.flush()


def post(signal: exporters.Signal) -> exporters.Post | None:
    """Return the function that posts telemetry of others to where this process sends its own."""
    return exporters.post(signal, os.environ)


def deployment() -> dict[str, str]:
    """Return the resource attributes that say which deployment this process belongs to.

    They are the project's id, and those of `OTEL_RESOURCE_ATTRIBUTES` that name the namespace and
    the environment.
    """
    attributes = {**Resource.create({}).attributes, **_project(os.environ)}
    return {name: str(attributes[name]) for name in _OF_DEPLOYMENT if name in attributes}


def _project(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the resource attribute with the project's id, if that is known.

    Google's OTLP endpoint refuses telemetry without it.
    """
    project_id = environment.get("GCLOUD_PROJECT") or environment.get("GOOGLE_CLOUD_PROJECT")
    return {PROJECT: project_id} if project_id else {}


def _group_delivery(environment: Mapping[str, str]) -> GroupDelivery:
    outage = Outage()
    return GroupDelivery(
        exporters.span_export(environment, outage),
        exporters.record_export(environment, outage),
        outage,
        group_delay_seconds=_seconds(environment, GROUP_DELAY, GROUP_DELAY_SECONDS),
        background_delay_seconds=_seconds(environment, BACKGROUND_DELAY, BACKGROUND_DELAY_SECONDS),
        in_background=environment.get(CPU_STAYS, "").strip().lower() == "true",
    )


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    """Return the milliseconds that a variable holds, in seconds."""
    value = environment.get(name, "").strip()
    if not value:
        return default
    if value.isascii() and value.isdecimal():
        return int(value) / 1000
    _log.warning(
        "%s is %r, not a whole number of milliseconds; %g is used", name, value, default * 1000
    )
    return default
