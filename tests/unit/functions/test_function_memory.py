"""A function of each kind, at its concurrency, leaves a third of its memory limit free."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from cloudevents.conversion import to_structured
from cloudevents.http import CloudEvent
from google.pubsub_v1.types import PublishRequest, PublishResponse

import function_options
import settings
from tests.unit.framework import framework
from tests.unit.functions import page_telemetry, public_functions
from tests.unit.functions.public_functions import DOCUMENTS, FUNCTIONS, PROJECT, SHOW, TICKETED
from tests.unit.local_server import free_port, serving

THREADS = int(str(settings.THREADS.default))
REQUESTS = 8 * THREADS
JSON = {"Content-Type": "application/json"}
ORDERS = {
    f"orders/{state}": {**DOCUMENTS[f"orders/{TICKETED}"], "state": state}
    for state in ("placed", "reserved", "charging", "paid")
}
SHOW_AHEAD = {**DOCUMENTS[f"shows/{SHOW}"], "starts_at": datetime.now(UTC) + timedelta(days=9)}

Call = tuple[Mapping[str, str], bytes | None]


def callable_of(**data: object) -> Call:
    """Return a call by an organiser."""
    headers = {**JSON, "Authorization": f"Bearer {public_functions.id_token()}"}
    return headers, json.dumps({"data": data}).encode()


def event(kind: str, data: Mapping[str, Any]) -> Call:
    """Return the delivery of an event."""
    attributes = {
        "id": "event-1",
        "source": "//pubsub.googleapis.com/projects/p/topics/t",
        "type": kind,
        "specversion": "1.0",
        "time": "2026-03-01T12:00:00.000000Z",
    }
    headers, body = to_structured(CloudEvent(attributes, data))
    return dict(headers), body


def webhook() -> Call:
    """Return a webhook about a charge that succeeded."""
    charge = {
        "id": "ch_1",
        "status": "succeeded",
        "amount_cents": 5000,
        "currency": "EUR",
        "metadata": {"order_id": "charging"},
    }
    body = json.dumps({"data": {"charge": charge}}).encode()
    return {**JSON, "Acquirer-Signature": public_functions.signature(body)}, body


def page_spans() -> Call:
    """Return the largest request with spans that the page sends."""
    spans = (page_telemetry.span() for _ in range(64))
    return JSON, json.dumps(page_telemetry.spans(*spans)).encode()


def due_task() -> Call:
    """Return a task about a hold that has lapsed."""
    due = datetime.now(UTC) - timedelta(minutes=1)
    return callable_of(order_id="reserved", due=due.isoformat())


# The signature type of each function, and a request that makes it do its work.
CALLS: dict[str, tuple[str, Callable[[], Call]]] = {
    "availability": ("http", lambda: ({}, None)),
    "quote": ("http", lambda: callable_of(show_id=SHOW, seats=2)),
    "refund": ("http", lambda: callable_of(order_id=TICKETED)),
    "settle": ("http", webhook),
    "expire": ("http", due_task),
    "audit": (
        "cloudevent",
        lambda: event(
            "boxoffice.order.moved", {"order_id": "paid", "state": "ticketed", "by": "issue"}
        ),
    ),
    "telemetry": ("http", page_spans),
}
# Where a function is called at another path than all others.
PATHS = {"telemetry": "/telemetry/v1/traces"}


@contextmanager
def serving_pubsub() -> Iterator[str]:
    """Run a stand-in for Pub/Sub that accepts every message; yields its address."""

    def publish(request: Any, _context: object) -> PublishResponse:
        return PublishResponse(message_ids=["1" for _ in request.messages])

    handler = grpc.unary_unary_rpc_method_handler(
        publish,
        request_deserializer=PublishRequest.deserialize,
        response_serializer=PublishResponse.serialize,
    )
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler}),)
    )
    address = f"127.0.0.1:{free_port()}"
    assert server.add_insecure_port(address)
    server.start()
    try:
        yield address
    finally:
        server.stop(None).wait(10)


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and of all its children, in MB.

    Pages that a worker shares with its master are counted twice, so this is an upper limit.
    """
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = int(status.partition("VmRSS:")[2].split()[0])
    return kilobytes * 1024 / 1e6 + sum(resident_mb(int(child)) for child in children)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == "settle" else pytest.mark.long) for name in CALLS],
)
def test_a_function_at_its_concurrency_leaves_a_third_of_its_memory_free(
    name: str, tmp_path: Path
) -> None:
    """Master and worker together, after as many requests at once as the platform sends."""
    signature_type, make_call = CALLS[name]
    documents = {**DOCUMENTS, **ORDERS, f"shows/{SHOW}": SHOW_AHEAD}
    with (
        serving(public_functions.answer) as local,
        public_functions.serving_firestore(documents) as firestore,
        serving_pubsub() as pubsub,
    ):
        environment = {
            "FUNCTION_TARGET": name,
            "FUNCTION_SIGNATURE_TYPE": signature_type,
            "GCLOUD_PROJECT": PROJECT,
            "FUNCTIONS_EMULATOR": "true",
            "FAULTS": "never",
            "FIRESTORE_EMULATOR_HOST": firestore,
            "PUBSUB_EMULATOR_HOST": pubsub,
            "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9",
            "CLOUD_EVENTARC_EMULATOR_HOST": local.url,
            "CLOUD_TASKS_EMULATOR_HOST": local.url.removeprefix("http://"),
            "ACQUIRER_URL": local.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": local.url,
            "THREADS": str(THREADS),
        }
        command = FUNCTIONS / "venv" / "bin" / "functions-framework"
        with framework(command, FUNCTIONS, environment, tmp_path / "log", "/__/health") as served:

            def send(_number: int) -> int:
                headers, body = make_call()
                request = functools.partial(httpx.request, "POST" if body else "GET")
                return request(
                    served.url + PATHS.get(name, f"/?show_id={SHOW}"),
                    headers=headers,
                    content=body,
                    timeout=60,
                    trust_env=False,
                ).status_code

            with ThreadPoolExecutor(THREADS) as callers:
                statuses = set(callers.map(send, range(REQUESTS)))
            assert statuses <= {200, 204}, served.log.read_text(errors="replace")[-2000:]
            used = resident_mb(served.process.pid)
    limit = getattr(function_options, name.upper())["memory"]
    print(f"{name}: {used:.0f} MB of {limit} MiB")
    assert used < limit * 2 / 3
