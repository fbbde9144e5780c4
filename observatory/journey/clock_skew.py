"""Clock skew: find the services whose clocks disagree with the rest of a trace, and correct them.

Services on different machines have different clocks. A trace shows it when an effect has an earlier
time than its cause. Each pair of a span and its parent in another service bounds the offset between
the two clocks: a child starts no earlier than its parent, and a server's span ends no later than
the client's span of the same call, if the call was answered. A service is reported only when its
bounds rule out that its clock is right.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from observatory.journey.legs import StoredRow
from observatory.schemas.journey import Skew, SkewedClock
from observatory.text_format import duration_text

# The resolution of clocks with whole milliseconds, such as those of some browsers.
TOLERANCE_NANO = 1_000_000
# Hops whose receiver may run after the sender has ended.
LATER_HOPS = frozenset({"trigger", "task", "pubsub", "eventarc", "listener", "webhook"})
ACCEPTED = 202  # the server may go on working after this response

INFINITE = float("inf")


class OffsetBounds(NamedTuple):
    """How far a service's clock can be ahead of another's, in nanoseconds, by one pair of spans."""

    lower: float
    upper: float
    other_service: str


def skew_of(by_id: Mapping[str, StoredRow]) -> Skew | None:
    """Return the services whose clocks are wrong, each with its most plausible offset.

    Returns None when all clocks may be right.

    Args:
        by_id: the spans of one trace by their ids.
    """
    bounds = _bounds_by_service(by_id)
    offsets: dict[str, float] = {}
    while True:
        # The service whose offset satisfies most bounds; in a tie, the one with the fewest bounds.
        corrections = [_correction(service, bounds[service], offsets) for service in sorted(bounds)]
        best = max(
            corrections,
            key=lambda correction: (correction.satisfied, -len(bounds[correction.service])),
            default=None,
        )
        if best is None or best.satisfied <= 0:
            break
        offsets[best.service] = best.offset
    services: list[SkewedClock] = [
        {
            "service": service,
            "offset_ms": offset / 1_000_000,
            "evidence": _evidence(service, bounds[service], offset),
        }
        for service, offset in sorted(offsets.items())
        if abs(offset) > TOLERANCE_NANO
    ]
    return {"services": services} if services else None


def corrected(rows: Iterable[StoredRow], skew: Skew) -> list[dict[str, Any]]:
    """Return rows of spans or logs with their services' offsets subtracted from all times."""
    offsets = {
        clock["service"]: round(clock["offset_ms"] * 1_000_000) for clock in skew["services"]
    }
    corrected_rows = []
    for row in rows:
        offset = offsets.get(row["service_name"], 0)
        changes = {
            name: row[name] - offset
            for name in ("start_unix_nano", "end_unix_nano", "time_unix_nano")
            if name in row
        }
        if "events" in row and offset:
            changes["events"] = [
                event | {"time_unix_nano": str(int(event["time_unix_nano"]) - offset)}
                for event in row["events"]
            ]
        corrected_rows.append({**row, **changes})
    return corrected_rows


def _bounds_by_service(by_id: Mapping[str, StoredRow]) -> defaultdict[str, list[OffsetBounds]]:
    """Return the bounds from each service's pairs of spans with other services."""
    servers: defaultdict[str, int] = defaultdict(int)
    for span in by_id.values():
        if span["kind"] == "SERVER" and span["parent_span_id"] and span["hop"] not in LATER_HOPS:
            servers[span["parent_span_id"]] += 1
    bounds: defaultdict[str, list[OffsetBounds]] = defaultdict(list)
    for span in by_id.values():
        parent = by_id.get(span["parent_span_id"] or "")
        if parent is None or parent["service_name"] == span["service_name"]:
            continue
        upper: float = span["start_unix_nano"] - parent["start_unix_nano"]
        lower = -INFINITE
        if servers[parent["span_id"]] == 1 and _was_answered(parent, span):
            lower = span["end_unix_nano"] - parent["end_unix_nano"]
        bounds[span["service_name"]].append(OffsetBounds(lower, upper, parent["service_name"]))
        bounds[parent["service_name"]].append(OffsetBounds(-upper, -lower, span["service_name"]))
    return bounds


def _was_answered(client: StoredRow, server: StoredRow) -> bool:
    """Return whether the client span must have ended after the server span.

    True for a synchronous call that succeeded and is at least as long as the server span.
    """
    client_duration = client["end_unix_nano"] - client["start_unix_nano"]
    return (
        (client["kind"], server["kind"]) == ("CLIENT", "SERVER")
        and client["status_code"] != "ERROR"
        and server["hop"] not in LATER_HOPS
        and client["attributes"].get("http.response.status_code") != ACCEPTED
        and 0 <= server["end_unix_nano"] - server["start_unix_nano"] <= client_duration
    )


class Correction(NamedTuple):
    """A service's clock offset, and how many more bounds are satisfied with it than without."""

    service: str
    offset: float
    satisfied: int


def _correction(
    service: str, bounds: list[OffsetBounds], offsets: Mapping[str, float]
) -> Correction:
    current = offsets.get(service, 0.0)
    ranges = [
        (
            each.lower + offsets.get(each.other_service, 0.0),
            each.upper + offsets.get(each.other_service, 0.0),
        )
        for each in bounds
    ]
    violated = sum(not _allows(lower, upper, current) for lower, upper in ranges)
    if not violated:
        return Correction(service, current, 0)
    offset = _most_allowed(ranges)
    still_violated = sum(not _allows(lower, upper, offset) for lower, upper in ranges)
    # An offset that violates at least half as many bounds as before is rejected.
    satisfied = violated - still_violated if still_violated * 2 < violated else 0
    return Correction(service, offset, satisfied)


def _allows(lower: float, upper: float, offset: float) -> bool:
    return lower - TOLERANCE_NANO <= offset <= upper + TOLERANCE_NANO


def _most_allowed(ranges: list[tuple[float, float]]) -> float:
    """Return the offset that most ranges allow.

    It is the middle of the interval where most ranges overlap, or its finite end if the interval is
    open.
    """
    edges = sorted(
        [(lower, 0) for lower, upper in ranges if lower <= upper]
        + [(upper, 1) for lower, upper in ranges if lower <= upper]
    )
    overlapping = most_overlapping = 0
    begin = best_begin = best_end = 0.0
    for position, closes in edges:
        if closes:
            if overlapping > most_overlapping:
                most_overlapping, best_begin, best_end = overlapping, begin, position
            overlapping -= 1
        else:
            overlapping += 1
            begin = position
    if best_begin == -INFINITE:
        return best_end if best_end != INFINITE else 0.0
    return best_begin if best_end == INFINITE else (best_begin + best_end) / 2


def _evidence(service: str, bounds: list[OffsetBounds], offset: float) -> str:
    violated = [each for each in bounds if not _allows(each.lower, each.upper, 0.0)]
    worst = max(max(each.lower, -each.upper) for each in violated) if violated else 0.0
    others = ", ".join(sorted({each.other_service for each in violated})) or "other services"
    noun = "pair" if len(bounds) == 1 else "pairs"
    direction = "ahead of" if offset > 0 else "behind"
    return (
        f"In {len(violated)} of {len(bounds)} {noun} of spans between {service} and {others}, the "
        f"effect comes before its cause, by up to {duration_text(worst / 1_000_000)}. A clock "
        f"{duration_text(abs(offset) / 1_000_000)} {direction} the others explains it."
    )
