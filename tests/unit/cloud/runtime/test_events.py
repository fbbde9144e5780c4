"""Events, tasks and schedules reach functions as Google's services send them."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud.delivery.backoff import Backoff
from cloud.delivery.chaos import Chaos
from cloud.deployment.deployed import BadDeployment
from cloud.runtime import custom_events, firestore_events, pubsub_events
from cloud.runtime.events import EventDelivery
from cloud.runtime.firestore_events import BadEvent
from cloud.runtime.front_end import FrontEnd
from cloud.runtime.identity import Identity
from cloud.runtime.schedules import Job, interval_seconds
from cloud.runtime.service import Service
from cloud.runtime.tasks import BadTask, Queue
from tests.unit.cloud.runtime.deployments import ACCOUNT, function, life_of, service_in

DEADLINE_SECONDS = 20.0
RETRIED = {"eventType": "t", "retryPolicy": "RETRY_POLICY_RETRY"}
# Recorded from the Firestore emulator 1.19.9 (the body is shortened).
RECORDED = {
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.firestore.document.v1.created",
    "ce-source": "//firestore.googleapis.com/projects/projects/demo-test/databases/(default)",
    "ce-id": "61046c1c-1af7-4795-aee7-e4b3005a8e02",
    "ce-subject": "documents/orders/abc",
    "ce-time": "2026-12-01T17:18:52Z",
    "ce-datacontenttype": "application/protobuf",
    "ce-location": "us-central1",
    "ce-project": "demo-test",
    "ce-database": "(default)",
    "ce-namespace": "(default)",
    "ce-document": "orders/abc",
    "content-type": "application/protobuf",
    "host": "127.0.0.1:27001",
}


def run(service: Service, work: Callable[[FrontEnd], Awaitable[None]]) -> None:
    """Run `work` with a front end for one private function, and end its instances."""

    async def bounded() -> None:
        front_end = FrontEnd([service], Identity())
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await work(front_end)
        finally:
            await service.shut_down()
            await front_end.close()

    asyncio.run(bounded())


def test_the_emulators_document_event_becomes_productions() -> None:
    """The body is the protobuf itself, and the known mistakes of the headers are corrected."""
    headers, body = firestore_events.production_event(
        RECORDED, base64.b64encode(b"\x0a\x03abc"), "nam5"
    )
    assert body == b"\x0a\x03abc"
    assert headers["ce-source"] == (
        "//firestore.googleapis.com/projects/demo-test/databases/(default)"
    )
    assert re.fullmatch(r"2026-12-01T17:18:52\.\d{6}Z", headers["ce-time"])
    assert headers["ce-location"] == "nam5"
    assert headers["content-type"] == "application/protobuf"
    assert "host" not in headers
    with pytest.raises(BadEvent, match="base64"):
        firestore_events.production_event(RECORDED, b"not base64!", "nam5")
    with pytest.raises(BadEvent, match="lacks headers"):
        firestore_events.production_event({"ce-id": "1"}, b"", "nam5")


def test_a_push_becomes_the_event_of_its_message() -> None:
    """The data has both spellings of each name, and the subscription of the trigger."""
    trigger = {"eventType": pubsub_events.EVENT_TYPE, "pubsubTopic": "order-paid"}
    receiver = function("issue", trigger=trigger)
    pushed = {
        "message": {"data": "e30=", "messageId": "7", "publishTime": "2026-12-01T00:00:00.5Z"},
        "subscription": "projects/demo-test/subscriptions/other",
    }
    headers, body = pubsub_events.production_event(receiver, json.dumps(pushed).encode())
    message = json.loads(body)["message"]
    assert headers["ce-source"] == "//pubsub.googleapis.com/projects/demo-test/topics/order-paid"
    assert headers["ce-id"] == "7"
    assert (message["message_id"], message["publish_time"]) == ("7", "2026-12-01T00:00:00.5Z")
    assert json.loads(body)["subscription"].endswith("eventarc-us-central1-issue-sub")
    with pytest.raises(BadEvent, match="not a push"):
        pubsub_events.production_event(receiver, b"[]")


def test_a_published_event_reaches_only_functions_of_its_type_and_channel(tmp_path: Path) -> None:
    """Attributes become `ce-` headers, extensions included."""
    channel = "projects/demo-test/locations/us-central1/channels/firebase"
    make = service_in(tmp_path)
    wanted = make(function("audit", trigger={"eventType": "moved", "channel": channel}))
    other_type = make(function("other", trigger={"eventType": "stood", "channel": channel}))
    other_channel = make(function("third", trigger={"eventType": "moved", "channel": "c"}))
    event: dict[str, Any] = {
        "id": "1",
        "source": "//here",
        "specVersion": "1.0",
        "type": "moved",
        "attributes": {
            "time": {"ceTimestamp": "2026-12-01T00:00:00.0Z"},
            "traceparent": {"ceString": "00-1"},
            "datacontenttype": {"ceString": "application/json"},
        },
        "textData": "{}",
    }
    services = [wanted, other_type, other_channel]
    assert list(custom_events.receivers(services, channel, event)) == [wanted]
    headers, body = custom_events.binary_event(event)
    assert headers["ce-traceparent"] == "00-1"
    assert headers["content-type"] == "application/json"
    assert body == b"{}"
    with pytest.raises(BadEvent, match="no source"):
        custom_events.binary_event({**event, "source": ""})


@pytest.mark.parametrize(
    ("trigger", "attempts"), [(RETRIED, 3), ({"eventType": "t"}, 1)], ids=["retries", "none"]
)
def test_a_failed_event_comes_again_if_the_function_asks_for_it(
    tmp_path: Path, trigger: dict[str, str], attempts: int
) -> None:
    """After its last attempt it is dropped, and listed."""
    service = service_in(tmp_path)(function(public=False, trigger=trigger))

    async def work(front_end: FrontEnd) -> None:
        delivery = EventDelivery(front_end, Backoff(3, first_seconds=0.01))
        front_end.call = _calling(front_end, "/fail")  # type: ignore[method-assign]
        delivery.begin(service, {"ce-id": "event-1"}, b"")
        await _until(lambda: bool(delivery.deliveries.dropped))
        assert delivery.deliveries.dropped == ["quote event-1"]
        assert delivery.deliveries.attempts == attempts
        assert life_of(tmp_path).count("handled /fail") == attempts

    run(service, work)


def test_chaos_duplicates_events_and_loses_acknowledgements(tmp_path: Path) -> None:
    """Each event is handled at least once, and nothing is dropped."""
    service = service_in(tmp_path)(function(public=False, trigger=RETRIED))

    async def work(front_end: FrontEnd) -> None:
        delivery = EventDelivery(front_end, Backoff(first_seconds=0.01))
        delivery.chaos = Chaos(seed=3, duplicate_rate=0.5, fail_rate=0.5, delay_ms_max=5)
        for number in range(20):
            delivery.begin(service, {"ce-id": str(number)}, b"")
        await _until(
            lambda: delivery.deliveries.in_progress == 0 and delivery.deliveries.attempts >= 20
        )
        assert delivery.deliveries.dropped == []
        assert delivery.deliveries.duplicates > 3
        assert delivery.deliveries.failed_attempts > 3
        assert life_of(tmp_path).count("handled /") > 20

    run(service, work)


def test_a_task_runs_when_it_is_due_and_again_while_it_fails(tmp_path: Path) -> None:
    """Not earlier, and no more often than the queue's maximum."""
    service = service_in(tmp_path)(function("expire", public=False))
    resource = {
        "name": "projects/demo-test/locations/us-central1/queues/expire",
        "retryConfig": {"maxAttempts": 2, "minBackoff": "0.01s"},
    }

    async def work(front_end: FrontEnd) -> None:
        queue = Queue(resource, front_end, ACCOUNT)
        began, due = time.monotonic(), datetime.now(UTC) + timedelta(seconds=0.6)
        url = service.function.url
        body = base64.b64encode(b"{}").decode()
        request = {"url": url, "body": body, "headers": {"Content-Type": "application/json"}}
        queue.create({"scheduleTime": due.isoformat(), "name": None, "httpRequest": request})
        failing = {"httpRequest": {**request, "url": f"{url}/fail"}, "scheduleTime": None}
        name = queue.create(failing)["name"]
        await _until(lambda: queue.given_up == [name])
        assert life_of(tmp_path).count("handled /fail") == 2
        await _until(lambda: "handled /" in life_of(tmp_path))
        assert time.monotonic() - began >= 0.55
        with pytest.raises(BadTask, match="not the address of a deployed function"):
            queue.create({"httpRequest": {"url": "https://elsewhere.example"}})
        with pytest.raises(BadTask, match="invalid"):
            queue.create({"scheduleTime": "soon", "httpRequest": request})
        await queue.close()

    run(service, work)


def test_a_job_calls_its_private_function(tmp_path: Path) -> None:
    """With the token of the job's account, and the headers of Cloud Scheduler."""
    service = service_in(tmp_path)(function("sweep", public=False))
    target = {
        "uri": f"{service.function.uri}/headers",
        "oidcToken": {"serviceAccountEmail": ACCOUNT},
    }
    resource = {"name": "jobs/sweep", "schedule": "every 1 minutes", "httpTarget": target}

    async def work(front_end: FrontEnd) -> None:
        answer = await Job(resource, front_end).fire()
        assert answer.status_code == 200
        assert json.loads(answer.body)["x-cloudscheduler-jobname"] == "sweep"

    run(service, work)


def test_only_schedules_that_are_simulated_are_accepted() -> None:
    """Another one is refused by its text, and never fires at a wrong time."""
    assert interval_seconds("every 1 minutes") == 60
    assert interval_seconds("every 2 hours") == 7200
    for schedule in ("*/5 * * * *", "every 0 minutes", "every monday 09:00"):
        with pytest.raises(BadDeployment, match=re.escape(schedule)):
            interval_seconds(schedule)


def _calling(front_end: FrontEnd, path: str) -> Any:
    """Return `front_end.call` with another path."""
    call = front_end.call

    async def with_path(service: Any, account: str, headers: Any, body: bytes, _path: str) -> Any:
        return await call(service, account, headers, body, path)

    return with_path


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; `run` bounds the wait."""
    while not condition():
        await asyncio.sleep(0.02)
