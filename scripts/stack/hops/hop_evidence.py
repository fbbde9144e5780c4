"""What the traces that were stored prove of each hop of the contract.

Nothing here asks anybody: traces go in, what they prove of each hop comes out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from observatory.schemas.journey import Journey, Row

#: The hops of the contract, in its order: what `throughline.hop` says, and `log` for log lines.
HOPS = (
    *("https", "hosting", "callable", "document", "rules", "trigger", "pubsub", "task"),
    *("vendor", "webhook", "eventarc", "schedule", "auth", "listener", "log"),
)
#: Nothing can carry to these: they have to be roots that say so, and a link ties them to others.
ROOTS = ("schedule", "auth")
#: Their span is the sender's; who took the context up is a child of it, in another service.
SENT = ("document", "vendor")


@dataclass(frozen=True)
class Crossing:
    """One time that a hop was crossed: `wrong` says why the context wasn't carried, if it wasn't.

    `wait_ms` is None where nobody knows when the waiting began.
    """

    trace_id: str
    joined_as: str | None
    wait_ms: float | None
    wrong: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What was seen of one hop: every crossing, in the order of the traces."""

    hop: str
    crossings: Sequence[Crossing]

    @property
    def carried(self) -> bool:
        """Whether it was crossed at all, and the context carried every time."""
        return bool(self.crossings) and not self.wrong

    @property
    def wrong(self) -> list[Crossing]:
        """The crossings that lost the context."""
        return [crossing for crossing in self.crossings if crossing.wrong]

    def summary(self) -> dict[str, object]:
        """What `--json` prints of the hop; of those that went wrong the first, if any did."""
        shown = next(iter([*self.wrong, *self.crossings]), None)
        waits = [crossing.wait_ms for crossing in self.crossings if crossing.wait_ms is not None]
        return {
            "carried": self.carried,
            "joined_as": shown.joined_as if shown else None,
            "p50_ms": round(median(waits), 1) if waits else None,
            "trace_id": shown.trace_id if shown else None,
        }


def evidence_in(
    journeys: Sequence[Journey], fired_unix_nano: Mapping[str, int] | None = None
) -> dict[str, Evidence]:
    """What these traces prove of each hop.

    A wait is the time from its producer's end to the start of the span that received, or from the
    parent's start where there is no producer or it ended later; of a write, the time until it was
    acknowledged; of a log line, that since its span began.

    Args:
        journeys: the traces in which the hops were crossed.
        fired_unix_nano: when somebody caused each of the roots, by hop; their waits begin there.
    """
    fired = fired_unix_nano or {}
    found: dict[str, list[Crossing]] = {hop: [] for hop in HOPS}
    linked = {
        (link["trace_id"], link["span_id"])
        for journey in journeys
        for row in journey["rows"]
        for link in row["links"]
    }
    for journey in journeys:
        by_id = {row["span_id"]: row for row in journey["rows"]}
        for row in journey["rows"]:
            hop = row["hop"]
            if hop in ROOTS:
                found[hop].append(_root(journey, row, hop, fired.get(hop), linked))
            elif hop in SENT:
                found[hop].append(_sent(journey, row, hop))
            elif hop in found:
                found[hop].append(_received(journey, row, by_id.get(row["parent_span_id"] or "")))
        found["log"].extend(_logged(journey))
    return {hop: Evidence(hop, crossings) for hop, crossings in found.items()}


def _received(journey: Journey, row: Row, parent: Row | None) -> Crossing:
    reason = row["attributes"].get("throughline.context.reason")
    wrong = None
    if row["context"] != "carried":
        wrong = f"{row['name']} found its context {row['context']}" + (
            f" ({reason})" if reason else ""
        )
    elif parent is None:
        missing = "is not stored" if row["parent_span_id"] else "is not named"
        wrong = f"the parent of {row['name']} {missing}"
    elif not row["covered"]:
        wrong = f"{row['name']} leads to no declared root"
    if parent is None:
        return Crossing(journey["trace_id"], "link" if row["links"] else None, None, wrong)
    return Crossing(journey["trace_id"], "parent", _wait_ms(row, parent), wrong)


def _sent(journey: Journey, row: Row, hop: str) -> Crossing:
    taken_up = [
        other
        for other in journey["rows"]
        if other["parent_span_id"] == row["span_id"]
        and other["service"] != row["service"]
        # What a vendor's own spans say is the vendor's business.
        and (hop == "vendor" or other["context"] == "carried")
    ]
    if not taken_up:
        untaken = f"no other service went on from {row['name']}"
        return Crossing(journey["trace_id"], None, None, untaken)
    wrong = None if row["covered"] else f"{row['name']} leads to no declared root"
    first = min(taken_up, key=lambda other: other["offset_ms"])
    wait_ms = row["duration_ms"] if hop == "document" else _wait_ms(first, row)
    return Crossing(journey["trace_id"], "parent", wait_ms, wrong)


def _root(
    journey: Journey,
    row: Row,
    hop: str,
    fired_unix_nano: int | None,
    linked: Collection[tuple[str, str]],
) -> Crossing:
    """What a declared root proves: a sweep links the orders that it touched, and what a user does
    links that user's creation."""
    wrong = None
    links_some = any(link["stored"] for link in row["links"])
    is_linked = (journey["trace_id"], row["span_id"]) in linked
    if row["root"] != hop or row["parent_span_id"] is not None:
        wrong = f"{row['name']} is no root that says so"
    elif hop == "schedule" and not links_some:
        wrong = f"{row['name']} links no order that is stored"
    elif hop == "auth" and not is_linked:
        wrong = f"nothing that its user did links {row['name']}"
    wait_ms = None
    if fired_unix_nano is not None:
        began = int(journey["started_unix_nano"]) / 1e6 + row["offset_ms"]
        wait_ms = max(0.0, began - fired_unix_nano / 1e6)
    joined_as = "link" if links_some or is_linked else "root"
    return Crossing(journey["trace_id"], joined_as, wait_ms, wrong)


def _logged(journey: Journey) -> Iterator[Crossing]:
    for row in journey["rows"]:
        for line in row["logs"]:
            wait_ms = max(0.0, line["offset_ms"] - row["offset_ms"])
            yield Crossing(journey["trace_id"], "parent", wait_ms)
    for line in journey["logs"]:
        wrong = f"a log line of {line['service']} names no span that is stored"
        yield Crossing(journey["trace_id"], None, None, wrong)


def _wait_ms(row: Row, parent: Row) -> float:
    began = parent["offset_ms"]
    ended = began + parent["duration_ms"]
    if parent["kind"] == "PRODUCER" and ended <= row["offset_ms"]:
        began = ended
    return max(0.0, row["offset_ms"] - began)
