"""Find spans in traces. Pure: journeys go in, spans come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from observatory.schemas.journey import Journey, Row


def rows(
    journeys: Sequence[Journey], service: str | None = None, name: str | None = None
) -> Iterator[tuple[Journey, Row]]:
    """The spans of one service, or of that name, each with its journey."""
    for journey in journeys:
        for row in journey["rows"]:
            if service in (None, row["service"]) and name in (None, row["name"]):
                yield journey, row


def is_invocation(row: Row) -> bool:
    """Whether a span is a function's invocation."""
    return row["name"] == row["service"] and "faas.name" in row["attributes"]


def is_dead_letter(row: Row) -> bool:
    """Whether a span says that an event was set aside."""
    return row["service"] == "redelivery" and row["name"] == "send dead-letter"


def invocations(
    journeys: Sequence[Journey], function: str | None = None
) -> Iterator[tuple[Journey, Row]]:
    """The spans that are a function's invocation, of one function or of all."""
    for journey, row in rows(journeys, function):
        if is_invocation(row):
            yield journey, row


def children(journey: Journey, parent: Row) -> list[Row]:
    """The spans directly under one, in the order in which they began."""
    found = [row for row in journey["rows"] if row["parent_span_id"] == parent["span_id"]]
    return sorted(found, key=lambda row: row["offset_ms"])


def ancestors(journey: Journey, row: Row) -> list[Row]:
    """A span's parent, its parent's parent and so on, as far as they are stored."""
    by_id = {other["span_id"]: other for other in journey["rows"]}
    found: list[Row] = []
    parent = by_id.get(row["parent_span_id"] or "")
    while parent is not None and parent not in found:
        found.append(parent)
        parent = by_id.get(parent["parent_span_id"] or "")
    return found


def calls_to_vendor(journey: Journey, invocation: Row, path: str) -> list[Row]:
    """The calls that an invocation made to the card processor, in their order."""
    return [
        row
        for row in children(journey, invocation)
        if row["hop"] == "vendor" and row["name"] == f"POST {path}"
    ]


def under_way(journey: Journey) -> list[Row]:
    """What was sent and has not arrived: no function ended well with it, nor was it set aside."""

    def has_arrived(child: Row) -> bool:
        return is_dead_letter(child) or (is_invocation(child) and not child["error"])

    return [
        row
        for _, row in rows([journey])
        if row["kind"] == "PRODUCER"
        and not row["error"]
        and not any(map(has_arrived, children(journey, row)))
    ]


def attr(row: Row, name: str) -> Any:
    """An attribute of a span; None where it hasn't it."""
    return row["attributes"].get(name)


def unix_seconds(journey: Journey, offset_ms: float) -> float:
    """A time within a trace, counted as a span's offset is, in seconds since 1970."""
    return int(journey["started_unix_nano"]) / 1e9 + offset_ms / 1000


def ended_ms(row: Row) -> float:
    """When a span ended, counted as its offset is."""
    return row["offset_ms"] + row["duration_ms"]
