"""Where a journey's time went: at the vendor, waiting in queues, or in our own code."""

import heapq
from collections.abc import Iterable, Sequence
from itertools import pairwise

from observatory.schemas.journey import Part, Row, Where
from observatory.text_format import duration_text

LABELS: dict[Where, str] = {
    "vendor": "at the vendor",
    "waiting": "waiting in queues",
    "ours": "in our code",
    "between": "between spans",
}
# A part too small to matter to a reader stays out of the sentence, not out of the sum.
WORTH_SAYING = 0.01


def parts_of(rows: Sequence[Row], duration_ms: float, vendor: str | None) -> list[Part]:
    """Each moment of the journey, given to one part of it.

    At any moment the work that began last is what the buyer waits for: a webhook's handler, not
    the vendor's request that waits for its answer; a queue, not the sender that still tidies up.
    Waiting for a listener counts only while nothing else runs, because the page follows along
    beside the work and holds none of it up.

    Args:
        rows: the spans of one trace.
        duration_ms: from the first start to the last end.
        vendor: the vendor's name, for the label.
    """
    spent: dict[Where, float] = dict.fromkeys(LABELS, 0.0)
    background: list[tuple[float, float]] = []
    work: list[tuple[float, float, Where]] = []
    for row in rows:
        begin = row["offset_ms"]
        work.append((begin, begin + row["duration_ms"], _where(row)))
        if row["wait"] is not None:
            waited_from = row["wait"]["offset_ms"]
            if row["hop"] == "listener":
                background.append((waited_from, begin))
            else:
                work.append((waited_from, begin, "waiting"))
    gaps = []
    for begin, end, where in _latest_first(work, duration_ms):
        if where is None:
            gaps.append((begin, end))
        else:
            spent[where] += end - begin
    for begin, end in gaps:
        waited = _overlap(begin, end, background)
        spent["waiting"] += waited
        spent["between"] += end - begin - waited
    labels = LABELS | ({"vendor": f"at the {vendor}"} if vendor else {})
    return [
        {"where": where, "label": labels[where], "duration_ms": round(spent[where], 6)}
        for where in LABELS
    ]


def summary_of(parts: Iterable[Part], carried: int, received: int) -> str:
    """The parts and the share of hops that carried the context, in two sentences."""
    parts = list(parts)
    total = sum(part["duration_ms"] for part in parts)
    said = [
        f"{duration_text(part['duration_ms'])} {part['label']}"
        for part in parts
        if part["duration_ms"] > 0 and part["duration_ms"] >= WORTH_SAYING * total
    ]
    sentences = [", ".join(said) + "."] if said else []
    if received:
        noun = "hop" if received == 1 else "hops"
        sentences.append(f"{carried} of {received} {noun} carried the context.")
    return " ".join(sentences)


def _where(row: Row) -> Where:
    # The client span of a call to the vendor is time spent there, whatever the network's share.
    return "vendor" if row["party"] == "vendor" or row["hop"] == "vendor" else "ours"


def _latest_first(
    work: Iterable[tuple[float, float, Where]], duration_ms: float
) -> Iterable[tuple[float, float, Where | None]]:
    """Cut [0, duration) where work begins or ends; give each piece to the work begun last."""
    pending = sorted((begin, end, where) for begin, end, where in work if end > begin)
    edges = sorted({0.0, duration_ms, *(b for b, _, _ in pending), *(e for _, e, _ in pending)})
    running: list[tuple[float, float, Where]] = []
    next_ = 0
    for begin, end in pairwise(edges):
        while next_ < len(pending) and pending[next_][0] <= begin:
            started, stops, where = pending[next_]
            heapq.heappush(running, (-started, stops, where))
            next_ += 1
        while running and running[0][1] <= begin:
            heapq.heappop(running)
        yield begin, end, running[0][2] if running else None


def _overlap(begin: float, end: float, stretches: Iterable[tuple[float, float]]) -> float:
    covered = 0.0
    reached = begin
    for start, stop in sorted(stretches):
        within = min(stop, end) - max(start, reached)
        if within > 0:
            covered += within
            reached = min(stop, end)
    return covered
