"""Builds small traces in the format of the Observatory's API."""

from __future__ import annotations

from typing import Any, cast

from observatory.schemas.journey import Journey, LogLine, Row, SpanLink

BEGAN_UNIX_NANO = 1_000_000_000_000


def row(
    span_id: str,
    parent_span_id: str | None,
    name: str,
    *,
    hop: str | None = None,
    kind: str = "CONSUMER",
    at: float = 0,
    took: float = 1,
    service: str = "charge",
) -> Row:
    """Return a span with carried context that reaches a root; `at` and `took` are in ms."""
    fields: dict[str, Any] = {
        "span_id": span_id,
        "parent_span_id": parent_span_id,
        "name": name,
        "hop": hop,
        "kind": kind,
        "service": service,
        "offset_ms": at,
        "duration_ms": took,
        "context": "carried",
        "root": None,
        "covered": True,
        "attributes": {},
        "links": [],
        "logs": [],
    }
    return cast("Row", fields)


def journey(*rows: Row, trace_id: str = "1" * 32) -> Journey:
    """Return a trace of these spans."""
    fields: dict[str, Any] = {
        "trace_id": trace_id,
        "started_unix_nano": str(BEGAN_UNIX_NANO),
        "rows": list(rows),
        "logs": [],
    }
    return cast("Journey", fields)


def link(*, stored: bool) -> SpanLink:
    """Return a link to another trace."""
    return {"trace_id": "3" * 32, "span_id": "4" * 16, "attributes": {}, "stored": stored}


def line(*, at: float) -> LogLine:
    """Return a log line, `at` ms after the start of the trace."""
    return cast("LogLine", {"offset_ms": at, "service": "reserve", "body": "text"})
