"""Repeats: the steps of a trace that are equal to an earlier one, such as deliveries that failed.

They can bury what happened only once. A step is a span with the spans below it in its leg. Steps
are equal when their names, services, hops, outcomes and errors are, whatever their times.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from observatory.journey.conventions import Conventions
from observatory.schemas.journey import Repeat, Row
from observatory.text_format import message_pattern

# Fewer equal steps are easy to read.
EQUAL_MIN = 4
SIGNATURE_BYTES = 12


class _Step(NamedTuple):
    """The rows of a step, from ``begin`` to before ``end``."""

    begin: int
    end: int


def repeats_of(rows: Sequence[Row], conventions: Conventions) -> list[Repeat]:
    """Return the repeats of each step that occurs at least ``EQUAL_MIN`` times, outermost first.

    A leg repeats any other leg of the trace; within a leg, a step repeats those of its parent.
    """
    ends = _ends(rows)
    signatures = _signatures(rows, ends, conventions)
    repeats: list[Repeat] = []
    groups: defaultdict[tuple[object, bytes], list[_Step]] = defaultdict(list)
    for at, row in enumerate(rows):
        within = row["parent_span_id"] if row["indent"] else None
        groups[within, signatures[at]].append(_Step(at, ends[at]))
    hidden: set[int] = set()
    for steps in sorted(groups.values(), key=lambda steps: (rows[steps[0].begin]["indent"], steps)):
        if len(steps) < EQUAL_MIN or steps[0].begin in hidden:
            continue
        repeats.append(_repeat(rows, steps))
        for step in steps[1:]:
            hidden.update(range(step.begin, step.end))
    return repeats


def _repeat(rows: Sequence[Row], steps: Sequence[_Step]) -> Repeat:
    tops = [rows[step.begin] for step in steps[1:]]
    spans = [row for step in steps[1:] for row in rows[step.begin : step.end]]
    durations = [row["duration_ms"] for row in tops]
    return {
        "first": rows[steps[0].begin]["span_id"],
        "repeats": [row["span_id"] for row in tops],
        "spans": len(spans),
        "errors": sum(row["error"] for row in spans),
        "from_ms": min(row["offset_ms"] for row in spans),
        "to_ms": max(row["offset_ms"] + row["duration_ms"] for row in spans),
        "shortest_ms": min(durations),
        "longest_ms": max(durations),
    }


def _ends(rows: Sequence[Row]) -> list[int]:
    """Return for each row the index after the last row below it in its leg."""
    ends = [len(rows)] * len(rows)
    open_rows: list[int] = []
    for at, row in enumerate(rows):
        while open_rows and (
            rows[open_rows[-1]]["leg"] != row["leg"]
            or rows[open_rows[-1]]["indent"] >= row["indent"]
        ):
            ends[open_rows.pop()] = at
        open_rows.append(at)
    return ends


def _signatures(rows: Sequence[Row], ends: Sequence[int], conventions: Conventions) -> list[bytes]:
    """Return a hash of each step, which is equal for equal steps."""
    signatures = [b""] * len(rows)
    for at in reversed(range(len(rows))):
        row = rows[at]
        children = []
        child = at + 1
        while child < ends[at]:
            children.append(signatures[child])
            child = ends[child]
        parts = (
            *(row["service"], row["name"], row["hop"], row["kind"], row["context"]),
            *(row["error"], message_pattern(row["status_message"]), row["orphan"]),
            _outcome(row["attributes"], conventions),
            children,
        )
        signatures[at] = blake2b(
            repr(parts).encode("utf-8", "replace"), digest_size=SIGNATURE_BYTES
        ).digest()
    return signatures


def _outcome(attributes: Mapping[str, object], conventions: Conventions) -> list[str]:
    return [f"{name}={attributes[name]}" for name in conventions.outcomes if name in attributes]
