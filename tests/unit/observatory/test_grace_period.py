"""The grace period: an absent parent is missing only when it had time to arrive."""

import time
from collections.abc import Callable
from typing import Any

from observatory.compare.digest.tables import prepare
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import CLIENT, PRODUCER, SERVER, Trace

LONG_SECONDS = 3600.0


def in_progress() -> Trace:
    """Return a trace whose root has not ended, so that only its children were exported."""
    trace = Trace()
    server = trace.span(
        *("shop", "GET /cart", SERVER, 5, 30, b"\x01" * 8), throughline__hop="https"
    )
    trace.span("shop", "select", CLIENT, 6, 20, server)
    return trace


def figures(running: Running, trace: Trace) -> dict[str, Any]:
    """Return what every view says about the context of the only stored trace."""
    heatmap = running.http.get("/api/heatmap").json()
    coverage = running.client.coverage()
    (line,) = running.client.traces()["traces"]
    journey = running.client.trace(trace.trace_id.hex())
    covered = journey["covered"] + journey["awaiting"]
    edges = running.http.get("/api/map").json()["edges"]
    return {
        "coverage": {
            *(
                heatmap["coverage"],
                coverage["coverage"],
                line["coverage"],
                covered / journey["spans"],
            )
        },
        "orphans": {
            *(
                heatmap["orphans"],
                coverage["orphans"],
                line["orphans"],
                journey["orphans"] * (not journey["awaiting"]),
            )
        },
        "broken": any(edge["broken"] for edge in edges),
        "listed": running.client.traces(text="orphans > 0 or uncovered > 0")["total"],
    }


HEALTHY = {"coverage": {1.0}, "orphans": {0}, "broken": False, "listed": 0}
LOST = {"coverage": {0.0}, "orphans": {1}, "broken": True, "listed": 1}


def test_every_view_awaits_a_parent_during_the_grace_period(start: Callable[..., Running]) -> None:
    """When it ends, all of them report the same orphan, without another commit."""
    running = start(grace_seconds=LONG_SECONDS)
    trace = in_progress()
    running.send(trace)
    assert figures(running, trace) == HEALTHY
    assert running.client.trace(trace.trace_id.hex())["awaiting"] == 2
    assert running.context.revision.endswith("-awaiting")

    end_grace_period(running)
    assert figures(running, trace) == LOST
    journey = running.client.trace(trace.trace_id.hex())
    assert (journey["awaiting"], journey["missing_parents"]) == (0, ["01" * 8])
    assert not running.context.revision.endswith("-awaiting")


def test_a_root_that_lost_its_context_is_not_awaited(start: Callable[..., Running]) -> None:
    """Nothing that may still arrive would connect it."""
    running = start(grace_seconds=LONG_SECONDS)
    trace = Trace()
    root = trace.span(
        *("shop", "GET /cart", SERVER, 5, 30),
        throughline__hop="https",
        throughline__context="absent",
    )
    trace.span("shop", "select", CLIENT, 6, 20, root)
    running.send(trace)
    assert figures(running, trace) == LOST | {"orphans": {0}}


def test_the_parent_that_arrives_connects_its_children(start: Callable[..., Running]) -> None:
    """Then nothing is awaited any more."""
    running = start(grace_seconds=LONG_SECONDS)
    trace = in_progress()
    running.send(trace)
    late = Trace(trace_id=trace.trace_id)
    late.span("page", "open the cart", PRODUCER, 0, 40).span_id = b"\x01" * 8
    running.send(late)
    assert figures(running, trace) == HEALTHY
    assert running.client.trace(trace.trace_id.hex())["awaiting"] == 0


def end_grace_period(running: Running) -> None:
    """Do what the time does."""
    digests = running.context.digests
    digests.grace_seconds = 0.0
    digests.__dict__["_grace_ends"] = time.monotonic()
    with running.store.reader() as cursor:
        prepare(cursor, 0.0)
