"""Hop 8: context crosses Cloud Tasks in the headers of the HTTP request that a task is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from throughline import http_request
from throughline.invocation import Reception, Returned, traced

# The conventions name no system for Cloud Tasks, and ask for a name of one's own in that case.
_SYSTEM = "gcp_cloud_tasks"


@contextmanager
def enqueueing(queue: str) -> Iterator[dict[str, str]]:
    """Enqueue one task inside a PRODUCER span.

    Yields the headers to give to the task. They hold the copy of traceparent too: Google's front
    end stands between Cloud Tasks and the function. Add no `content-type` in lower case: it would
    come twice, and the function would refuse every attempt. `queue` is the queue's short name,
    which is its function's.
    """
    with trace.get_tracer("throughline").start_as_current_span(
        f"send {queue}",
        kind=SpanKind.PRODUCER,
        attributes={
            "messaging.system": _SYSTEM,
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": queue,
        },
    ):
        yield http_request.write()


def on_task(function: Callable[[Any], Returned]) -> Callable[[Any], Returned]:
    """Trace a function that `firebase_functions.tasks_fn.on_task_dispatched` calls with a task.

    Goes directly above `def`, because the SDK turns exceptions into answers. The span's parent is
    the context in the task's headers.
    """
    return traced(function, _receive)


def _receive(_task: Any) -> Reception:
    headers = http_request.received()
    retries = headers.get("x-cloudtasks-taskretrycount", "")
    return Reception(
        arrival=http_request.read(headers),
        hop="task",
        carried_in="http-headers",
        kind=SpanKind.CONSUMER,
        attributes={
            "faas.trigger": "other",
            "messaging.system": _SYSTEM,
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": _queue(headers.get("x-cloudtasks-queuename", "")),
            "messaging.message.id": headers.get("x-cloudtasks-taskname", ""),
            "throughline.attempt": int(retries) + 1 if retries.isdecimal() else 1,
        },
    )


def _queue(name: str) -> str:
    """The emulator says queue:PROJECT-LOCATION-NAME where Cloud Tasks says NAME."""
    return name.rpartition("-")[2] if name.startswith("queue:") else name
