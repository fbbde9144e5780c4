"""Order a trace's spans by legs, and find the spans that are covered.

A leg is the spans of one service that one hop led to. A span starts a leg when its kind is SERVER
or CONSUMER, when its parent belongs to another service, or when its parent is not stored.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from observatory.schemas.journey import IncomingLink
from observatory.store.promotions import Promotions

StoredRow = Mapping[str, Any]

RECEIVING_KINDS = frozenset({"SERVER", "CONSUMER"})


class StoredTrace(NamedTuple):
    """The stored data of one trace.

    Args:
        trace_id: 32 hexadecimal digits, in lower case.
        spans: its spans without copies, at least one. Attributes, events and links are decoded.
        logs: its log records, with decoded attributes.
        stored_traces: the ids of the traces it links to that are stored.
        linked_from: the spans of other traces that link to it.
        truncated: whether more spans are stored than ``spans`` has.
        promotions: the promoted attributes.
    """

    trace_id: str
    spans: Sequence[StoredRow]
    logs: Sequence[StoredRow]
    stored_traces: Collection[str]
    linked_from: Sequence[IncomingLink]
    truncated: bool
    promotions: Promotions


class Place(NamedTuple):
    """A span's place: the index of its leg, its depth within the leg and within the trace."""

    leg: int
    span_id: str
    indent: int
    depth: int


def covered_spans(by_id: Mapping[str, StoredRow], *, awaiting: bool = False) -> set[str]:
    """Return the ids of the spans whose stored parents lead to a root.

    A root is a span without a parent that did not lose its context: it is declared one, or it does
    not report an absent or invalid context, as the spans of most instrumentations.

    Args:
        by_id: the spans of one trace by their ids.
        awaiting: whether absent parents may still arrive, so that they count as roots too.
    """
    known: dict[str, bool] = {}
    for span_id in by_id:
        path = []
        at: str | None = span_id
        while at is not None and at in by_id and at not in known:
            known[at] = False  # for now, so that a cycle of parents ends here
            path.append(at)
            at = by_id[at]["parent_span_id"]
        if at is None:
            reaches = bool(path) and not _lost_context(by_id[path[-1]])
        else:
            reaches = known.get(at, awaiting and at not in by_id)
        for ancestor_id in path:
            known[ancestor_id] = reaches
    return {span_id for span_id, reaches in known.items() if reaches}


def _lost_context(span: StoredRow) -> bool:
    return span["root"] is None and span["context"] in ("absent", "invalid")


def walk(by_id: Mapping[str, StoredRow]) -> Iterator[Place]:
    """Yield every span's place: leg by leg in order of their starts, depth first within a leg."""

    def by_start(span_id: str) -> tuple[int, int, str]:
        span = by_id[span_id]
        return span["start_unix_nano"], -span["end_unix_nano"], span_id

    in_time = sorted(by_id, key=by_start)
    children: defaultdict[str | None, list[str]] = defaultdict(list)
    for span_id in in_time:
        children[by_id[span_id]["parent_span_id"]].append(span_id)
    legs: dict[str, list[tuple[str, int, int]]] = {}
    seen: set[str] = set()

    def collect_legs(root: str) -> None:
        heads = [(root, 0)]
        while heads:
            head, head_depth = heads.pop()
            if head in seen:
                continue
            seen.add(head)
            places = legs[head] = []
            stack = [(head, 0, head_depth)]
            while stack:
                span_id, indent, depth = stack.pop()
                places.append((span_id, indent, depth))
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
            collect_legs(span_id)
    for span_id in in_time:
        collect_legs(span_id)  # those in a cycle of parents, which no root leads to
    for leg, head in enumerate(sorted(legs, key=by_start)):
        for span_id, indent, depth in legs[head]:
            yield Place(leg, span_id, indent, depth)


def _begins_leg(span: StoredRow, parent: StoredRow) -> bool:
    return span["kind"] in RECEIVING_KINDS or span["service_name"] != parent["service_name"]
