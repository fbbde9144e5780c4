"""Build the journey of one trace from its stored spans and log records."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast

from observatory.journey.clock_skew import corrected, skew_of
from observatory.journey.conventions import NO_CONVENTIONS, Conventions
from observatory.journey.critical_path import critical_path_of
from observatory.journey.findings import findings_of
from observatory.journey.legs import StoredRow, StoredTrace, covered_spans
from observatory.journey.repeats import repeats_of
from observatory.journey.rows import log_line, milliseconds, rows_of
from observatory.journey.time_spent import journey_summary, time_shares
from observatory.journey.users_wait import headline_of, wait_of
from observatory.schemas.journey import Journey, Leg, Row
from observatory.store.promotions import Promotions


def journey_of(
    trace: StoredTrace,
    *,
    correct_skew: bool = False,
    conventions: Conventions = NO_CONVENTIONS,
    grace_seconds: float = 0.0,
) -> Journey:
    """Return the journey of one trace.

    Args:
        trace: the stored spans and log records of the trace.
        correct_skew: whether to correct the times of services whose clocks disagree.
        conventions: what the observed app's attributes mean.
        grace_seconds: how long an absent parent is awaited after the last span arrived.
    """
    spans, logs = trace.spans, trace.logs
    skew = skew_of({span["span_id"]: span for span in spans})
    if skew is not None and correct_skew:
        spans, logs = corrected(spans, skew), corrected(logs, skew)
    by_id = {span["span_id"]: span for span in spans}
    began = min(span["start_unix_nano"] for span in spans)
    ended = max(max(span["start_unix_nano"], span["end_unix_nano"]) for span in spans)
    duration_ms = milliseconds(ended - began)
    lines = sorted((log_line(line, began) for line in logs), key=lambda line: line["offset_ms"])
    silent_ns = time.time_ns() - max(span["received_unix_nano"] for span in spans)
    rows = rows_of(by_id, began, lines, trace.stored_traces)
    subject, state = _subject(spans, trace.promotions)
    wait = wait_of(rows, duration_ms, state, trace.promotions, conventions)
    vendor = next((row["service"] for row in rows if row["party"] == "vendor"), None)
    shares = time_shares(rows, duration_ms, wait.ms, vendor)
    received = [row for row in rows if row["context"] is not None]
    carried = sum(row["context"] == "carried" for row in received)
    in_time = sorted(rows, key=lambda row: row["offset_ms"])
    covered = sum(row["covered"] for row in rows)
    first = next((row for row in in_time if row["parent_span_id"] is None), None)
    journey: Journey = {
        "trace_id": trace.trace_id,
        "root": first["name"] if first else None,
        "headline": headline_of(wait, duration_ms, first, len(rows)),
        "summary": journey_summary(shares, carried, len(received)),
        "started_unix_nano": str(began),
        "started_at": timestamp(began),
        "duration_ms": duration_ms,
        "wait_ms": wait.ms,
        "state_tone": conventions.tone(state),
        "last_received_ms_ago": max(0.0, milliseconds(silent_ns)),
        "services": list(dict.fromkeys(row["service"] for row in in_time)),
        "hops": list(dict.fromkeys(row["hop"] for row in in_time if row["hop"])),
        "spans": len(rows),
        "errors": sum(row["error"] for row in rows),
        "orphans": sum(row["orphan"] for row in rows),
        "missing_parents": list(
            dict.fromkeys(row["parent_span_id"] or "" for row in in_time if row["orphan"])
        ),
        "awaiting": 0
        if silent_ns >= grace_seconds * 1e9
        else len(covered_spans(by_id, awaiting=True)) - covered,
        "covered": covered,
        "coverage": covered / len(rows),
        "parts": shares,
        "legs": _legs(rows),
        "rows": rows,
        "logs": [line for line in lines if line["span_id"] not in by_id],
        "repeats": repeats_of(rows, conventions),
        "findings": findings_of(rows, conventions),
        "linked_from": list(trace.linked_from),
        "critical_path": critical_path_of(rows, trace.trace_id),
        "skew": skew,
        "skew_corrected": skew is not None and correct_skew,
        "truncated": trace.truncated,
    }
    return cast("Journey", journey | trace.promotions.fields(subject, state))


def timestamp(unix_nano: int) -> str:
    """Format a time as ISO 8601 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(unix_nano // 1_000_000 / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _subject(spans: Iterable[StoredRow], promotions: Promotions) -> tuple[str | None, str | None]:
    """Return the trace's subject and the state that it reached; None where no span has them."""
    spans = list(spans)
    subject = state = None
    if promotions.subject is not None:
        column = promotions.subject.column
        with_subject = [span for span in spans if span[column] is not None]
        first = min(with_subject, key=lambda span: span["start_unix_nano"], default=None)
        subject = first[column] if first else None
    if promotions.state is not None:
        column = promotions.state.column
        with_state = [span for span in spans if span[column] is not None]
        # The last to end; keep this in step with ``digest.spans._latest``.
        last = max(
            with_state, key=lambda span: (span["end_unix_nano"], span["span_id"]), default=None
        )
        state = last[column] if last else None
    return subject, state


def _legs(rows: Iterable[Row]) -> list[Leg]:
    legs: list[Leg] = []
    for row in rows:
        if row["leg"] == len(legs):
            legs.append(
                {
                    "span_id": row["span_id"],
                    "name": row["name"],
                    "service": row["service"],
                    "party": row["party"],
                    "hop": row["hop"],
                    "offset_ms": row["offset_ms"],
                    "duration_ms": 0.0,
                    "wait_ms": row["wait"]["duration_ms"] if row["wait"] else 0.0,
                    "spans": 0,
                    "errors": 0,
                }
            )
        leg = legs[-1]
        leg["spans"] += 1
        leg["errors"] += row["error"]
        end = row["offset_ms"] + row["duration_ms"]
        leg["duration_ms"] = max(leg["duration_ms"], end - leg["offset_ms"])
    return legs
