"""Clocks that disagree: which services' spans could not have happened when they say.

Services on different machines have different clocks. A trace shows that when an effect comes
before its cause. Each pair of a span and its parent in another service limits how far the clocks
of the two can be apart: a child begins no earlier than its parent, and a call that was answered
ends no later than it. As long as all of a service's limits allow that its clock is right, nothing
is said about it, however odd its times look.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from observatory.journey.legs import StoredRow
from observatory.schemas.journey import ServiceSkew, Skew
from observatory.text_format import duration_text

# Clocks that are read in whole milliseconds, as some browsers' are, differ by that much.
TOLERANCE_NANO = 1_000_000
# Hops whose receiver may begin at any time after the sender has ended.
LATER_HOPS = frozenset({"trigger", "task", "pubsub", "eventarc", "listener", "webhook"})
ACCEPTED = 202  # the one answer that promises work for later

INFINITE = float("inf")


class Limit(NamedTuple):
    """How far one service's clock can be ahead of another's, in nanoseconds, as one pair of spans
    tells it."""

    least: float
    most: float
    other: str


def skew_of(by_id: Mapping[str, StoredRow]) -> Skew | None:
    """The services whose clocks can't be right, each with the offset that explains most; None
    when the clocks may all be right.

    Args:
        by_id: the spans of one trace by their ids.
    """
    limits = _limits(by_id)
    offsets: dict[str, float] = {}
    while True:
        # The one service that alone explains most; a tie goes to the one with the fewest spans.
        moves = [_move(service, limits[service], offsets) for service in sorted(limits)]
        best = max(moves, key=lambda move: (move.mended, -len(limits[move.service])), default=None)
        if best is None or best.mended <= 0:
            break
        offsets[best.service] = best.offset
    services: list[ServiceSkew] = [
        {
            "service": service,
            "offset_ms": offset / 1_000_000,
            "evidence": _evidence(service, limits[service], offset),
        }
        for service, offset in sorted(offsets.items())
        if abs(offset) > TOLERANCE_NANO
    ]
    return {"services": services} if services else None


def corrected(rows: Iterable[StoredRow], skew: Skew) -> list[dict[str, Any]]:
    """Rows of spans or logs with their services' offsets taken from all their times."""
    offsets = {one["service"]: round(one["offset_ms"] * 1_000_000) for one in skew["services"]}
    moved = []
    for row in rows:
        by = offsets.get(row["service_name"], 0)
        changed = {
            name: row[name] - by
            for name in ("start_unix_nano", "end_unix_nano", "time_unix_nano")
            if name in row
        }
        if "events" in row and by:
            changed["events"] = [
                event | {"time_unix_nano": str(int(event["time_unix_nano"]) - by)}
                for event in row["events"]
            ]
        moved.append({**row, **changed})
    return moved


def _limits(by_id: Mapping[str, StoredRow]) -> defaultdict[str, list[Limit]]:
    """For each service, the limits that its pairs with other services set."""
    answering: defaultdict[str, int] = defaultdict(int)
    for span in by_id.values():
        if span["kind"] == "SERVER" and span["parent_span_id"] and span["hop"] not in LATER_HOPS:
            answering[span["parent_span_id"]] += 1
    limits: defaultdict[str, list[Limit]] = defaultdict(list)
    for span in by_id.values():
        parent = by_id.get(span["parent_span_id"] or "")
        if parent is None or parent["service_name"] == span["service_name"]:
            continue
        most: float = span["start_unix_nano"] - parent["start_unix_nano"]
        least = -INFINITE
        if answering[parent["span_id"]] == 1 and _was_answered(parent, span):
            least = span["end_unix_nano"] - parent["end_unix_nano"]
        limits[span["service_name"]].append(Limit(least, most, parent["service_name"]))
        limits[parent["service_name"]].append(Limit(-most, -least, span["service_name"]))
    return limits


def _was_answered(client: StoredRow, server: StoredRow) -> bool:
    """Whether the client can only have ended after the server had: a call that succeeded, and had
    the time for what the server did."""
    lasted = client["end_unix_nano"] - client["start_unix_nano"]
    return (
        (client["kind"], server["kind"]) == ("CLIENT", "SERVER")
        and client["status_code"] != "ERROR"
        and server["hop"] not in LATER_HOPS
        and client["attributes"].get("http.response.status_code") != ACCEPTED
        and 0 <= server["end_unix_nano"] - server["start_unix_nano"] <= lasted
    )


class Move(NamedTuple):
    """What setting a service's clock by ``offset`` would do: how many more limits then hold."""

    service: str
    offset: float
    mended: int


def _move(service: str, limits: list[Limit], offsets: Mapping[str, float]) -> Move:
    now = offsets.get(service, 0.0)
    ranges = [
        (limit.least + offsets.get(limit.other, 0.0), limit.most + offsets.get(limit.other, 0.0))
        for limit in limits
    ]
    broken = sum(not _holds(least, most, now) for least, most in ranges)
    if not broken:
        return Move(service, now, 0)
    offset = _most_allowed(ranges)
    still_broken = sum(not _holds(least, most, offset) for least, most in ranges)
    # An offset that leaves as much unexplained as it explains is no explanation.
    return Move(service, offset, broken - still_broken if still_broken * 2 < broken else 0)


def _holds(least: float, most: float, offset: float) -> bool:
    return least - TOLERANCE_NANO <= offset <= most + TOLERANCE_NANO


def _most_allowed(ranges: list[tuple[float, float]]) -> float:
    """The offset that most ranges allow: the middle of where they overlap, or, where that is
    open to one side, its end."""
    edges = sorted(
        [(least, 0) for least, most in ranges if least <= most]
        + [(most, 1) for least, most in ranges if least <= most]
    )
    overlapping = most_overlapping = 0
    begin = best_begin = best_end = 0.0
    for at, closes in edges:
        if closes:
            if overlapping > most_overlapping:
                most_overlapping, best_begin, best_end = overlapping, begin, at
            overlapping -= 1
        else:
            overlapping += 1
            begin = at
    if best_begin == -INFINITE:
        return best_end if best_end != INFINITE else 0.0
    return best_begin if best_end == INFINITE else (best_begin + best_end) / 2


def _evidence(service: str, limits: list[Limit], offset: float) -> str:
    broken = [limit for limit in limits if not _holds(limit.least, limit.most, 0.0)]
    worst = max(max(limit.least, -limit.most) for limit in broken) if broken else 0.0
    others = ", ".join(sorted({limit.other for limit in broken})) or "the others"
    noun = "pair" if len(limits) == 1 else "pairs"
    way = "ahead of" if offset > 0 else "behind"
    return (
        f"By the times told, {len(broken)} of {len(limits)} {noun} of spans that {service} shares "
        f"with {others} would have their effect before their cause, by up to "
        f"{duration_text(worst / 1_000_000)}; a clock {duration_text(abs(offset) / 1_000_000)} "
        f"{way} the others' explains it."
    )
