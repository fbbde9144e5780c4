"""One trace as a journey: legs in the order they began, each with its spans, waits and logs."""

import json
import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from observatory.legs import StoredRow, covered_spans, walk
from observatory.shapes import Journey, Leg, Link, LogLine, Party, Row
from observatory.time_spent import parts_of, summary_of
from observatory.wording import duration_text

# Every other service is a function. An app with other names says so in a resource attribute.
PARTIES: dict[str, Party] = {"page": "page", "firestore.rules": "rules", "acquirer": "vendor"}
PARTY_ATTRIBUTE = "throughline.party"
PARTY_NAMES: tuple[Party, ...] = ("page", "rules", "function", "vendor")

# Hops at which something keeps the work until the receiver takes it.
QUEUEING_HOPS = frozenset({"trigger", "task", "pubsub", "eventarc", "listener"})


# "/google.firestore.v1.Firestore/Commit" says no more than "Firestore/Commit".
RPC_PACKAGE = re.compile(r"^/?(?:\w+\.)+(?=\w+/\w+$)")


def journey_of(
    trace_id: str,
    spans: Sequence[StoredRow],
    logs: Iterable[StoredRow],
    stored_traces: Collection[str],
) -> Journey:
    """Put one trace in order.

    Args:
        trace_id: its id, in lower-case hexadecimal.
        spans: its rows of the store's view ``spans``; at least one.
        logs: its rows of the view ``logs``.
        stored_traces: those of the traces it links to that are in the store.
    """
    by_id = {span["span_id"]: span for span in spans}
    began = min(span["start_unix_nano"] for span in spans)
    ended = max(max(span["start_unix_nano"], span["end_unix_nano"]) for span in spans)
    duration_ms = _ms(ended - began)
    lines = sorted((_log_line(line, began) for line in logs), key=lambda line: line["offset_ms"])
    rows = _rows(by_id, began, lines, stored_traces)
    order_id, order_state = _order(spans)
    vendor = next((row["service"] for row in rows if row["party"] == "vendor"), None)
    parts = parts_of(rows, duration_ms, vendor)
    received = [row for row in rows if row["context"] is not None]
    carried = sum(row["context"] == "carried" for row in received)
    in_time = sorted(rows, key=lambda row: row["offset_ms"])
    covered = sum(row["covered"] for row in rows)
    first = next((row for row in in_time if row["parent_span_id"] is None), None)
    return {
        "trace_id": trace_id,
        "root": first["name"] if first else None,
        "order_id": order_id,
        "order_state": order_state,
        "headline": _headline(duration_ms, first, order_state),
        "summary": summary_of(parts, carried, len(received)),
        "started_unix_nano": str(began),
        "started_at": timestamp(began),
        "duration_ms": duration_ms,
        "last_received_ms_ago": max(
            0.0, _ms(time.time_ns() - max(span["received_unix_nano"] for span in spans))
        ),
        "services": list(dict.fromkeys(row["service"] for row in in_time)),
        "hops": list(dict.fromkeys(row["hop"] for row in in_time if row["hop"])),
        "spans": len(rows),
        "errors": sum(row["error"] for row in rows),
        "orphans": sum(row["orphan"] for row in rows),
        "missing_parents": list(
            dict.fromkeys(row["parent_span_id"] or "" for row in in_time if row["orphan"])
        ),
        "covered": covered,
        "coverage": covered / len(rows),
        "parts": parts,
        "legs": _legs(rows),
        "rows": rows,
        "logs": [line for line in lines if line["span_id"] not in by_id],
    }


def party_of(service: str, resource: Mapping[str, Any]) -> Party:
    """Who does the work of ``service``: its resource's ``throughline.party``, else by its name."""
    declared = resource.get(PARTY_ATTRIBUTE)
    if declared in PARTY_NAMES:
        return PARTY_NAMES[PARTY_NAMES.index(declared)]
    return PARTIES.get(service, "function")


def timestamp(unix_nano: int) -> str:
    """The moment in UTC, ISO 8601 with milliseconds."""
    moment = datetime.fromtimestamp(unix_nano // 1_000_000 / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(nanoseconds: int) -> float:
    return nanoseconds / 1_000_000


def _order(spans: Iterable[StoredRow]) -> tuple[str | None, str | None]:
    of_orders = [span for span in spans if span["order_id"] is not None]
    moves = [span for span in spans if span["order_state"] is not None]
    first = min(of_orders, key=lambda span: span["start_unix_nano"], default=None)
    # By its end: a page that is told late of an early state still begins to show it late.
    last = max(moves, key=lambda span: (span["end_unix_nano"], span["span_id"]), default=None)
    return first["order_id"] if first else None, last["order_state"] if last else None


def _headline(duration_ms: float, first: Row | None, order_state: str | None) -> str:
    took = duration_text(duration_ms)
    if order_state and first and first["party"] == "page":
        return f"{took} from click to {order_state}"
    return f"{took} from {first['name']} to its last span" if first else f"{took} seen so far"


def _rows(
    by_id: Mapping[str, StoredRow],
    began: int,
    lines: Iterable[LogLine],
    stored_traces: Collection[str],
) -> list[Row]:
    covered = covered_spans(by_id)
    lines_of: defaultdict[str | None, list[LogLine]] = defaultdict(list)
    for line in lines:
        lines_of[line["span_id"]].append(line)
    rows = []
    for leg, span_id, indent, depth in walk(by_id):
        span = by_id[span_id]
        parent = by_id.get(span["parent_span_id"] or "")
        attributes = json.loads(span["attributes"])
        resource = json.loads(span["resource"])
        row: Row = {
            "span_id": span_id,
            "parent_span_id": span["parent_span_id"],
            "leg": leg,
            "indent": indent,
            "depth": depth,
            "name": span["name"],
            "label": RPC_PACKAGE.sub("", span["name"]),
            "kind": span["kind"],
            "service": span["service_name"],
            "party": party_of(span["service_name"], resource),
            "hop": span["hop"],
            "carrier": _text(attributes.get("throughline.carrier")),
            "context": _text(attributes.get("throughline.context")),
            "root": span["root"],
            "offset_ms": _ms(span["start_unix_nano"] - began),
            "duration_ms": max(0.0, _ms(span["end_unix_nano"] - span["start_unix_nano"])),
            "wait": None,
            "error": span["status_code"] == "ERROR",
            "status_code": span["status_code"],
            "status_message": span["status_message"],
            "orphan": span["parent_span_id"] is not None and parent is None,
            "covered": span_id in covered,
            "scope": span["scope_name"],
            "attributes": attributes,
            "resource": resource,
            "events": [
                {
                    "name": event["name"],
                    "offset_ms": _ms(int(event["time_unix_nano"]) - began),
                    "attributes": event["attributes"],
                }
                for event in json.loads(span["events"])
            ],
            "links": [_link(link, stored_traces) for link in json.loads(span["links"])],
            "logs": lines_of[span_id],
        }
        queued = row["kind"] == "SERVER" and row["hop"] in QUEUEING_HOPS
        if parent is not None and (row["kind"] == "CONSUMER" or queued):
            waited = _ms(span["start_unix_nano"] - parent["end_unix_nano"])
            if waited > 0:
                row["wait"] = {
                    "offset_ms": row["offset_ms"] - waited,
                    "duration_ms": waited,
                }
        rows.append(row)
    return rows


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _link(link: Mapping[str, Any], stored_traces: Collection[str]) -> Link:
    return {
        "trace_id": link["trace_id"],
        "span_id": link["span_id"],
        "attributes": link["attributes"],
        "stored": link["trace_id"] in stored_traces,
    }


def _log_line(line: StoredRow, began: int) -> LogLine:
    return {
        "span_id": line["span_id"],
        "offset_ms": _ms(line["time_unix_nano"] - began),
        "severity_number": line["severity_number"],
        "severity_text": line["severity_text"],
        "event_name": line["event_name"],
        "body": line["body"],
        "service": line["service_name"],
        "attributes": json.loads(line["attributes"]),
    }


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
