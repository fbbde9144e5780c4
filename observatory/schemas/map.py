"""The hops as a graph: which service hands work to which, how, and what is lost on the way."""

from typing_extensions import TypedDict

from observatory.schemas.journey import Party


class MapNode(TypedDict):
    """A service. The quantiles are of the spans with which it received work, null without any.

    The node ``?`` stands for senders that aren't stored.
    """

    id: str
    service: str
    party: Party
    spans: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


# A way that work takes from one service to another, named by its hop where it has a name.
# Durations are of the receiving spans, waits between the sender's end and their start. "carried" is
# the share of those that found the context, of all that say whether they did. "broken": some found
# none where one should be, or their parents are missing, whose traces "orphan_filter" finds.
MapEdge = TypedDict(
    "MapEdge",
    {
        "from": str,  # a keyword of Python, which no class could have as a field
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
    """The graph of the traces that match."""

    nodes: list[MapNode]
    edges: list[MapEdge]
