"""The shape of a trace: which spans lead to a root, and where its legs begin.

A leg is the part of a journey that one hop began and one service did. A span begins one when it
receives (SERVER, CONSUMER), when another service did its parent, or when its parent isn't here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from observatory.store.promotions import Promotions

StoredRow = Mapping[str, Any]

RECEIVING_KINDS = frozenset({"SERVER", "CONSUMER"})


class StoredTrace(NamedTuple):
    """One trace as it is stored: its id in lower-case hexadecimal; its spans, each once, at least
    one, and its log records, both with their attributes, events and links as Python values; those
    of the traces it links to that are stored; whether ``spans`` are not all there are; and which
    attributes are promoted."""

    trace_id: str
    spans: Sequence[StoredRow]
    logs: Sequence[StoredRow]
    stored_traces: Collection[str]
    truncated: bool
    promotions: Promotions


class Step(NamedTuple):
    """One span's place: the index of its leg, its indent within it, its depth in the trace."""

    leg: int
    span_id: str
    indent: int
    depth: int


def covered_spans(by_id: Mapping[str, StoredRow]) -> set[str]:
    """The spans whose parents, all here, end in a span that declares itself a root."""
    known: dict[str, bool] = {}
    for span_id in by_id:
        path = []
        at: str | None = span_id
        while at is not None and at in by_id and at not in known:
            known[at] = False  # until proven; a circle of parents ends here
            path.append(at)
            at = by_id[at]["parent_span_id"]
        if at is None:
            reaches = by_id[path[-1]]["root"] is not None if path else False
        else:
            reaches = known.get(at, False)
        for step in path:
            known[step] = reaches
    return {span_id for span_id, reaches in known.items() if reaches}


def walk(by_id: Mapping[str, StoredRow]) -> Iterator[Step]:
    """Every span once, leg after leg in the order they began, and depth first within a leg."""

    def by_start(span_id: str) -> tuple[int, int, str]:
        span = by_id[span_id]
        return span["start_unix_nano"], -span["end_unix_nano"], span_id

    in_time = sorted(by_id, key=by_start)
    children: defaultdict[str | None, list[str]] = defaultdict(list)
    for span_id in in_time:
        children[by_id[span_id]["parent_span_id"]].append(span_id)
    legs: dict[str, list[tuple[str, int, int]]] = {}
    seen: set[str] = set()

    def legs_below(top: str) -> None:
        heads = [(top, 0)]
        while heads:
            head, head_depth = heads.pop()
            if head in seen:
                continue
            seen.add(head)
            steps = legs[head] = []
            stack = [(head, 0, head_depth)]
            while stack:
                span_id, indent, depth = stack.pop()
                steps.append((span_id, indent, depth))
                for child in reversed(children[span_id]):
                    if child in seen:
                        continue
                    if _begins_leg(by_id[child], by_id[span_id]):
                        heads.append((child, depth + 1))
                    else:
                        seen.add(child)
                        stack.append((child, indent + 1, depth + 1))

    for span_id in in_time:
        if by_id[span_id]["parent_span_id"] not in by_id:
            legs_below(span_id)
    for span_id in in_time:
        legs_below(span_id)  # what no root leads to: a circle of parents
    for leg, head in enumerate(sorted(legs, key=by_start)):
        for span_id, indent, depth in legs[head]:
            yield Step(leg, span_id, indent, depth)


def _begins_leg(span: StoredRow, parent: StoredRow) -> bool:
    return span["kind"] in RECEIVING_KINDS or span["service_name"] != parent["service_name"]
