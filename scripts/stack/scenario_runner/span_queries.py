"""Finds spans in traces. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from observatory.schemas.journey import Journey, Row


def rows(
    journeys: Sequence[Journey], service: str | None = None, name: str | None = None
) -> Iterator[tuple[Journey, Row]]:
    """Yield the spans of a service or with a name, each with its trace."""
    for journey in journeys:
        for row in journey["rows"]:
            if service in (None, row["service"]) and name in (None, row["name"]):
                yield journey, row


def is_invocation(row: Row) -> bool:
    """Return whether a span is a function's invocation."""
    return row["name"] == row["service"] and "faas.name" in row["attributes"]


def is_dead_letter(row: Row) -> bool:
    """Return whether a span records that an event was dead-lettered."""
    return row["service"] == "redelivery" and row["name"] == "send dead-letter"


def invocations(
    journeys: Sequence[Journey], function: str | None = None
) -> Iterator[tuple[Journey, Row]]:
    """Yield the spans that are invocations of one function, or of all."""
    for journey, row in rows(journeys, function):
        if is_invocation(row):
            yield journey, row


def children(journey: Journey, parent: Row) -> list[Row]:
    """Return the children of a span, in the order of their start."""
    rows_below = [row for row in journey["rows"] if row["parent_span_id"] == parent["span_id"]]
    return sorted(rows_below, key=lambda row: row["offset_ms"])


def ancestors(journey: Journey, row: Row) -> list[Row]:
    """Return the stored ancestors of a span, its parent first."""
    by_id = {other["span_id"]: other for other in journey["rows"]}
    above: list[Row] = []
    parent = by_id.get(row["parent_span_id"] or "")
    while parent is not None and parent not in above:
        above.append(parent)
        parent = by_id.get(parent["parent_span_id"] or "")
    return above


def calls_to_vendor(journey: Journey, invocation: Row, path: str) -> list[Row]:
    """Return the calls that an invocation made to the card processor, in order."""
    return [
        row
        for row in children(journey, invocation)
        if row["hop"] == "vendor" and row["name"] == f"POST {path}"
    ]


def pending_sends(journey: Journey) -> list[Row]:
    """Return the producer spans whose message was neither processed nor given up yet."""

    def has_arrived(child: Row) -> bool:
        if is_dead_letter(child) or attr(child, "boxoffice.permanent_failure"):
            return True
        return is_invocation(child) and not child["error"]

    return [
        row
        for _, row in rows([journey])
        if row["kind"] == "PRODUCER"
        and not row["error"]
        and not any(map(has_arrived, children(journey, row)))
    ]


def attr(row: Row, name: str) -> Any:
    """Return an attribute of a span, or None."""
    return row["attributes"].get(name)


def unix_seconds(journey: Journey, offset_ms: float) -> float:
    """Convert an offset within a trace to Unix seconds."""
    return int(journey["started_unix_nano"]) / 1e9 + offset_ms / 1000


def ended_ms(row: Row) -> float:
    """Return the end of a span as an offset within its trace."""
    return row["offset_ms"] + row["duration_ms"]
