"""Hop 8: context crosses Cloud Tasks in the headers of the task's HTTP request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from throughline import http_request
from throughline.invocation import Reception, Returned, traced

# The semantic conventions list no name for Cloud Tasks and allow a custom one.
_SYSTEM = "gcp_cloud_tasks"


@contextmanager
def enqueueing(queue: str) -> Iterator[dict[str, str]]:
    """Enqueue one task inside a PRODUCER span.

    Yields the headers for the task. They include the copy of traceparent, because Google's front
    end is between Cloud Tasks and the function. Do not add `content-type` in lower case: it would
    arrive twice, and the function would refuse every attempt. `queue` is the queue's short name,
    the same as its function's.
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

    Apply it directly above `def`, because the SDK turns exceptions into responses. The span's
    parent is the context in the task's headers.
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
    """Return a queue's short name; the emulator sends queue:PROJECT-LOCATION-NAME."""
    return name.rpartition("-")[2] if name.startswith("queue:") else name
