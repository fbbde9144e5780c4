"""Build the rows of a journey: a span with its place, wait, source location and log lines."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args

from observatory.journey.legs import StoredRow, covered_spans, walk
from observatory.schemas.journey import LogLine, Party, Row, SourceLocation, SpanLink
from observatory.text_format import short_name

# The party of a service is the kind of participant that it is. Its resource says so: by an
# attribute of its own, or because it has the name of a function. These services need neither.
PARTIES: dict[str, Party] = {"page": "page", "firestore.rules": "rules", "acquirer": "vendor"}
PARTY_ATTRIBUTE = "throughline.party"
FUNCTION_ATTRIBUTE = "faas.name"
PARTY_NAMES: tuple[Party, ...] = get_args(Party)

# Hops with a queue between the sender and the receiver.
QUEUEING_HOPS = frozenset({"trigger", "task", "pubsub", "eventarc", "listener"})

# The names in OpenTelemetry's semantic conventions, then those before version 1.30.
FILE = ("code.file.path", "code.filepath")
LINE = ("code.line.number", "code.lineno")
FUNCTION = ("code.function.name", "code.function")


def rows_of(
    by_id: Mapping[str, StoredRow],
    began: int,
    lines: Iterable[LogLine],
    stored_traces: Collection[str],
) -> list[Row]:
    """Return a row for each span, in the order of ``legs.walk``.

    Args:
        by_id: the decoded spans of one trace (see ``reading``) by their ids.
        began: the start of the first span, in nanoseconds since 1970.
        lines: the log lines of the trace, in order of time.
        stored_traces: the ids of the traces it links to that are stored.
    """
    covered = covered_spans(by_id)
    lines_of: defaultdict[str | None, list[LogLine]] = defaultdict(list)
    for line in lines:
        lines_of[line["span_id"]].append(line)
    rows = []
    for leg, span_id, indent, depth in walk(by_id):
        span = by_id[span_id]
        parent = by_id.get(span["parent_span_id"] or "")
        attributes = span["attributes"]
        row: Row = {
            "span_id": span_id,
            "parent_span_id": span["parent_span_id"],
            "leg": leg,
            "indent": indent,
            "depth": depth,
            "name": span["name"],
            "label": short_name(span["name"]),
            "kind": span["kind"],
            "service": span["service_name"],
            "party": party_of(span["service_name"], span["resource"]),
            "hop": span["hop"],
            "carrier": _text(attributes.get("throughline.carrier")),
            "context": _text(attributes.get("throughline.context")),
            "root": span["root"],
            "offset_ms": milliseconds(span["start_unix_nano"] - began),
            "duration_ms": max(0.0, milliseconds(span["end_unix_nano"] - span["start_unix_nano"])),
            "wait": None,
            "error": span["status_code"] == "ERROR",
            "status_code": span["status_code"],
            "status_message": span["status_message"],
            "orphan": span["parent_span_id"] is not None and parent is None,
            "covered": span_id in covered,
            "scope": span["scope_name"],
            "source": source_of(attributes),
            "attributes": attributes,
            "resource": span["resource"],
            "events": [
                {
                    "name": event["name"],
                    "offset_ms": milliseconds(int(event["time_unix_nano"]) - began),
                    "attributes": event["attributes"],
                }
                for event in span["events"]
            ],
            "links": [_link(link, stored_traces) for link in span["links"]],
            "logs": lines_of[span_id],
        }
        queued = row["kind"] == "SERVER" and row["hop"] in QUEUEING_HOPS
        if parent is not None and parent is not span and (row["kind"] == "CONSUMER" or queued):
            waited = milliseconds(span["start_unix_nano"] - parent["end_unix_nano"])
            if waited > 0:
                row["wait"] = {
                    "offset_ms": row["offset_ms"] - waited,
                    "duration_ms": waited,
                }
        rows.append(row)
    return rows


def log_line(line: StoredRow, began: int) -> LogLine:
    """Return a decoded log record as a line of the journey that began at ``began``."""
    return {
        "span_id": line["span_id"],
        "offset_ms": milliseconds(line["time_unix_nano"] - began),
        "severity_number": line["severity_number"],
        "severity_text": line["severity_text"],
        "event_name": line["event_name"],
        "body": line["body"],
        "service": line["service_name"],
        "attributes": line["attributes"],
    }


def party_of(service: str, resource: Mapping[str, Any]) -> Party:
    """Return a service's party: by its resource, or else by its name."""
    declared = resource.get(PARTY_ATTRIBUTE)
    if declared in PARTY_NAMES:
        return PARTY_NAMES[PARTY_NAMES.index(declared)]
    if service in PARTIES:
        return PARTIES[service]
    return "function" if resource.get(FUNCTION_ATTRIBUTE) else "service"


def source_of(attributes: Mapping[str, Any]) -> SourceLocation | None:
    """Return the source location in a span's attributes; None when they name no file."""
    file = _first(attributes, FILE)
    if not isinstance(file, str) or not file:
        return None
    line, function = _first(attributes, LINE), _first(attributes, FUNCTION)
    return {
        "file": file,
        "line": line if isinstance(line, int) and line > 0 else None,
        "function": function if isinstance(function, str) else None,
    }


def milliseconds(nanoseconds: int) -> float:
    """Convert nanoseconds to milliseconds, the unit of all durations and offsets of a journey."""
    return nanoseconds / 1_000_000


def _first(attributes: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((attributes[name] for name in names if name in attributes), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _link(link: Mapping[str, Any], stored_traces: Collection[str]) -> SpanLink:
    return {
        "trace_id": link["trace_id"],
        "span_id": link["span_id"],
        "attributes": link["attributes"],
        "stored": link["trace_id"] in stored_traces,
    }
