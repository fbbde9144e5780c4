"""The map: a graph of services and the hops between them."""

from typing_extensions import TypedDict

from observatory.schemas.journey import Party


class MapNode(TypedDict):
    """A service. The quantiles are of the durations of its receiving spans; null without any.

    The node ``?`` represents senders whose spans are not stored.
    """

    id: str
    service: str
    party: Party
    spans: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


# The hops of one kind from one service to another; "hop" is null for those without a name.
# Durations are those of the receiving spans; waits are from the sender's end to their start.
# "carried" is the share of the receiving spans with a throughline.context that is "carried".
# "broken": a receiving span lacks its context although it is no declared root, or its parent is
# not stored; "orphan_filter" is a filter for the traces of the latter.
MapEdge = TypedDict(
    "MapEdge",
    {
        "from": str,  # a keyword of Python, hence no class syntax
        "to": str,
        "hop": str | None,
        "count": int,
        "per_minute": float,
        "errors": int,
        "p50_ms": float,
        "p95_ms": float,
        "wait_p50_ms": float | None,
        "wait_p95_ms": float | None,
        "carried": float | None,
        "orphans": int,
        "broken": bool,
        "orphan_filter": str,
    },
)


class Map(TypedDict):
    """The map of the traces that match."""

    nodes: list[MapNode]
    edges: list[MapEdge]
