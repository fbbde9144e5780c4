"""Telemetry as files."""

from typing import Any, NotRequired

from typing_extensions import TypedDict


class OtlpJson(TypedDict):
    """OTLP/JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding."""

    resourceSpans: NotRequired[list[dict[str, Any]]]
    resourceLogs: NotRequired[list[dict[str, Any]]]
    resourceMetrics: NotRequired[list[dict[str, Any]]]


class JaegerJson(TypedDict):
    """The JSON file that Jaeger's UI downloads."""

    data: list[dict[str, Any]]
    total: NotRequired[int]
    limit: NotRequired[int]
    offset: NotRequired[int]
    errors: NotRequired[list[dict[str, Any]] | None]


class ImportResult(TypedDict):
    """How much of a file was stored; ``trace_ids`` are the first 20 traces in it.

    ``metrics`` counts data points. ``rejected`` counts the spans, log records and data points that
    were invalid, and ``reason`` says why.
    """

    spans: int
    logs: int
    metrics: int
    rejected: int
    reason: str
    trace_ids: list[str]
