"""Small traces, as the Observatory's API tells them."""

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
    """A span whose context was carried and that leads to a root; `at` and `took` are ms."""
    shown: dict[str, Any] = {
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
    return cast("Row", shown)


def journey(*rows: Row, trace_id: str = "1" * 32) -> Journey:
    """A trace of these spans."""
    shown: dict[str, Any] = {
        "trace_id": trace_id,
        "started_unix_nano": str(BEGAN_UNIX_NANO),
        "rows": list(rows),
        "logs": [],
    }
    return cast("Journey", shown)


def link(*, stored: bool) -> SpanLink:
    """A link to another trace."""
    return {"trace_id": "3" * 32, "span_id": "4" * 16, "attributes": {}, "stored": stored}


def line(*, at: float) -> LogLine:
    """A log line, so many ms after the trace began."""
    return cast("LogLine", {"offset_ms": at, "service": "reserve", "body": "said"})
