"""Divide a journey's time into categories: at the vendor, in queues, in services, between spans."""

import heapq
from collections.abc import Iterable, Sequence
from itertools import pairwise

from observatory.schemas.journey import Row, TimeCategory, TimeShare
from observatory.text_format import duration_text

LABELS: dict[TimeCategory, str] = {
    "vendor": "at the vendor",
    "waiting": "waiting in queues",
    "working": "in services",
    "between": "between spans",
    "after": "after that",
}
# The label of "working" when the services are known to be parts of one app.
IN_OUR_CODE = "in our code"
OUR_PARTIES = frozenset({"page", "rules", "function"})
# A smaller share of the duration is left out of the summary.
SIGNIFICANT_SHARE = 0.01


def time_shares(
    rows: Sequence[Row], duration_ms: float, wait_ms: float, vendor: str | None
) -> list[TimeShare]:
    """Assign every moment of a journey to one category, and return the time of each.

    A moment belongs to the span or the queue that started last of those in progress: to a webhook's
    handler rather than to the vendor's request that waits for it, and to a queue rather than to a
    sender that is still running. Waiting for a listener counts only while nothing else is in
    progress, because it delays nothing but the page.

    Args:
        rows: the spans of one trace.
        duration_ms: from the first start to the last end.
        wait_ms: when the user's wait ended. What follows has a category of its own.
        vendor: the vendor's service name, for the label; None without a vendor.
    """
    spent: dict[TimeCategory, float] = dict.fromkeys(LABELS, 0.0)
    background: list[tuple[float, float]] = []
    work: list[tuple[float, float, TimeCategory]] = []
    for row in rows:
        begin = row["offset_ms"]
        if begin < wait_ms:
            work.append((begin, min(wait_ms, begin + row["duration_ms"]), _category(row)))
        if row["wait"] is not None and row["wait"]["offset_ms"] < wait_ms:
            begin = min(wait_ms, begin)
            waited_from = row["wait"]["offset_ms"]
            if row["hop"] == "listener":
                background.append((waited_from, begin))
            else:
                work.append((waited_from, begin, "waiting"))
    gaps = []
    for begin, end, category in _last_started(work, wait_ms):
        if category is None:
            gaps.append((begin, end))
        else:
            spent[category] += end - begin
    for begin, end in gaps:
        waited = _overlap(begin, end, background)
        spent["waiting"] += waited
        spent["between"] += end - begin - waited
    spent["after"] = duration_ms - wait_ms
    labels = LABELS | ({"vendor": f"at the {vendor}"} if vendor else {})
    if any(row["party"] in OUR_PARTIES for row in rows):
        labels["working"] = IN_OUR_CODE
    return [
        {"where": category, "label": labels[category], "duration_ms": round(spent[category], 6)}
        for category in LABELS
    ]


def journey_summary(shares: Sequence[TimeShare], carried: int, received: int) -> str:
    """Summarise a journey in two sentences: its time by category, and its context propagation.

    Args:
        shares: the time of each category.
        carried: the number of hops whose receiver found the context.
        received: the number of all hops whose receiver reports it.
    """
    until = [share for share in shares if share["where"] != "after"]
    total = sum(share["duration_ms"] for share in until)
    phrases = [
        f"{duration_text(share['duration_ms'])} {share['label']}"
        for share in until
        if share["duration_ms"] > 0 and share["duration_ms"] >= SIGNIFICANT_SHARE * total
    ]
    sentences = [", ".join(phrases) + "."] if phrases else []
    if received:
        noun = "hop" if received == 1 else "hops"
        sentences.append(f"{carried} of {received} {noun} carried the context.")
    return " ".join(sentences)


def _category(row: Row) -> TimeCategory:
    # The client span of a call to the vendor counts as the vendor's time, network included.
    return "vendor" if row["party"] == "vendor" or row["hop"] == "vendor" else "working"


def _last_started(
    work: Iterable[tuple[float, float, TimeCategory]], duration_ms: float
) -> Iterable[tuple[float, float, TimeCategory | None]]:
    """Split [0, duration) at every start and end, and yield the intervals with their category.

    It is the category of the work that started last, or None while none is in progress.
    """
    pending = sorted((begin, end, category) for begin, end, category in work if end > begin)
    edges = sorted({0.0, duration_ms, *(b for b, _, _ in pending), *(e for _, e, _ in pending)})
    running: list[tuple[float, float, TimeCategory]] = []
    next_index = 0
    for begin, end in pairwise(edges):
        while next_index < len(pending) and pending[next_index][0] <= begin:
            started, stops, category = pending[next_index]
            heapq.heappush(running, (-started, stops, category))
            next_index += 1
        while running and running[0][1] <= begin:
            heapq.heappop(running)
        yield begin, end, running[0][2] if running else None


def _overlap(begin: float, end: float, intervals: Iterable[tuple[float, float]]) -> float:
    covered = 0.0
    reached = begin
    for start, stop in sorted(intervals):
        within = min(stop, end) - max(start, reached)
        if within > 0:
            covered += within
            reached = min(stop, end)
    return covered
