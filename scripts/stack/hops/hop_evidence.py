"""Determines from stored traces whether each hop of the contract carried the context. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from observatory.schemas.journey import Journey, Row

#: The hops of the contract, in its order: values of `throughline.hop`, and `log` for log lines.
HOPS = (
    *("https", "hosting", "callable", "document", "rules", "trigger", "pubsub", "task"),
    *("vendor", "webhook", "eventarc", "schedule", "auth", "listener", "log"),
)
#: Hops that cannot carry context: the span must be a declared root, connected by a link.
ROOTS = ("schedule", "auth")
#: Hops whose span is the sender's; the receiver is a child of it, in another service.
SENT = ("document", "vendor")


@dataclass(frozen=True)
class Crossing:
    """One crossing of a hop.

    Attributes:
        trace_id: the trace with the crossing.
        joined_as: "parent", "link" or "root"; None if it was not joined at all.
        wait_ms: the wait; None if its start is unknown.
        wrong: why the context was not carried; None if it was.
    """

    trace_id: str
    joined_as: str | None
    wait_ms: float | None
    wrong: str | None = None


@dataclass(frozen=True)
class Evidence:
    """All crossings of one hop, in the order of the traces."""

    hop: str
    crossings: Sequence[Crossing]

    @property
    def carried(self) -> bool:
        """Return whether the hop was crossed, and the context carried every time."""
        return bool(self.crossings) and not self.wrong

    @property
    def wrong(self) -> list[Crossing]:
        """Return the crossings that lost the context."""
        return [crossing for crossing in self.crossings if crossing.wrong]

    def summary(self) -> dict[str, object]:
        """Return what `--json` prints of the hop, with the first failed crossing as the example."""
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
    """Return the evidence that traces contain for each hop.

    A wait is the time from the producer's end to the receiver's start, or from the parent's start
    if there is no producer or it ended later. For a write it is the time until it was acknowledged,
    for a log line the time since its span started.

    Args:
        journeys: the traces in which the hops were crossed.
        fired_unix_nano: when each declared root was caused, by hop; their waits start there.
    """
    fired = fired_unix_nano or {}
    crossings_by_hop: dict[str, list[Crossing]] = {hop: [] for hop in HOPS}
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
                crossings_by_hop[hop].append(_root(journey, row, hop, fired.get(hop), linked))
            elif hop in SENT:
                crossings_by_hop[hop].append(_sent(journey, row, hop))
            elif hop in crossings_by_hop:
                crossings_by_hop[hop].append(
                    _received(journey, row, by_id.get(row["parent_span_id"] or ""))
                )
        crossings_by_hop["log"].extend(_logged(journey))
    return {hop: Evidence(hop, crossings) for hop, crossings in crossings_by_hop.items()}


def _received(journey: Journey, row: Row, parent: Row | None) -> Crossing:
    reason = row["attributes"].get("throughline.context.reason")
    wrong = None
    if row["context"] != "carried":
        wrong = f"the context of {row['name']} is {row['context']}" + (
            f" ({reason})" if reason else ""
        )
    elif parent is None:
        missing = "is not stored" if row["parent_span_id"] else "is not named"
        wrong = f"the parent of {row['name']} {missing}"
    elif not row["covered"]:
        wrong = f"{row['name']} does not reach a root"
    if parent is None:
        return Crossing(journey["trace_id"], "link" if row["links"] else None, None, wrong)
    return Crossing(journey["trace_id"], "parent", _wait_ms(row, parent), wrong)


def _sent(journey: Journey, row: Row, hop: str) -> Crossing:
    receivers = [
        other
        for other in journey["rows"]
        if other["parent_span_id"] == row["span_id"]
        and other["service"] != row["service"]
        # A vendor's own spans need not have our attribute.
        and (hop == "vendor" or other["context"] == "carried")
    ]
    if not receivers:
        not_continued = f"no other service continued the trace after {row['name']}"
        return Crossing(journey["trace_id"], None, None, not_continued)
    wrong = None if row["covered"] else f"{row['name']} does not reach a root"
    first = min(receivers, key=lambda other: other["offset_ms"])
    wait_ms = row["duration_ms"] if hop == "document" else _wait_ms(first, row)
    return Crossing(journey["trace_id"], "parent", wait_ms, wrong)


def _root(
    journey: Journey,
    row: Row,
    hop: str,
    fired_unix_nano: int | None,
    linked: Collection[tuple[str, str]],
) -> Crossing:
    """Return the crossing of a declared root.

    A sweep must link the orders that it handled, and the spans of a user's later actions must link
    the creation of the user.
    """
    wrong = None
    links_some = any(link["stored"] for link in row["links"])
    is_linked = (journey["trace_id"], row["span_id"]) in linked
    if row["root"] != hop or row["parent_span_id"] is not None:
        wrong = f"{row['name']} is not a declared root"
    elif hop == "schedule" and not links_some:
        wrong = f"{row['name']} links no stored order"
    elif hop == "auth" and not is_linked:
        wrong = f"no span of its user links {row['name']}"
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
        wrong = f"a log line of {line['service']} has no stored span"
        yield Crossing(journey["trace_id"], None, None, wrong)


def _wait_ms(row: Row, parent: Row) -> float:
    began = parent["offset_ms"]
    ended = began + parent["duration_ms"]
    if parent["kind"] == "PRODUCER" and ended <= row["offset_ms"]:
        began = ended
    return max(0.0, row["offset_ms"] - began)
