"""The events that the runtime sends are those that the Firebase SDK and the framework accept."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import firebase_admin
import pytest
from functions_framework import create_app
from google.events.cloud.firestore_v1 import Document, DocumentEventData, Value

from cloud.runtime import custom_events, firestore_events, pubsub_events
from tests.unit.cloud.runtime.deployments import PROJECT, function
from tests.unit.cloud.runtime.test_events import RECORDED

SOURCE = """
import json
from firebase_functions import eventarc_fn, firestore_fn, pubsub_fn

def note(*values):
    with open("{received}", "w") as out:
        json.dump(values, out)

@firestore_fn.on_document_created(document="orders/{{order_id}}")
def document(event):
    note(event.params, event.data.to_dict(), event.source, event.time.isoformat())

@pubsub_fn.on_message_published(topic="paid")
def message(event):
    received = event.data.message
    note(received.json, received.attributes, received.message_id, event.data.subscription)

@eventarc_fn.on_custom_event_published(event_type="moved")
def custom(event):
    note(event.id, event.data, event.time.isoformat())
"""


@pytest.fixture(autouse=True)
def _without_an_app() -> Iterator[None]:
    """Delete the Firebase app that the SDK makes for a document's event, for the other tests."""
    before = set(firebase_admin._apps)
    yield
    for name in set(firebase_admin._apps) - before:
        firebase_admin.delete_app(firebase_admin.get_app(name))


def received(
    folder: Path, target: str, headers: Mapping[str, str], body: bytes, monkeypatch: Any
) -> Any:
    """Deliver an event to a function of SOURCE; return what the function was called with."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("GCLOUD_PROJECT", PROJECT)
    monkeypatch.setenv("FIREBASE_CONFIG", json.dumps({"projectId": PROJECT}))
    source, noted = folder / "main.py", folder / "received.json"
    source.write_text(SOURCE.format(received=noted))
    app = create_app(target, str(source), "cloudevent")  # type: ignore[no-untyped-call]
    client = app.test_client()
    response = client.post("/", data=body, headers=dict(headers))
    assert response.status_code == 200, response.text
    return json.loads(noted.read_text())


def test_a_document_event_is_decoded_from_its_protobuf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the parameters of its path, and a time that has a fraction."""
    name = f"projects/{PROJECT}/databases/(default)/documents/orders/abc"
    value = Document(name=name, fields={"seats": Value(integer_value=2)})
    payload = DocumentEventData.serialize(DocumentEventData(value=value))
    headers, body = firestore_events.production_event(
        RECORDED, base64.b64encode(payload), "us-central1"
    )
    params, fields, source, _ = received(tmp_path, "document", headers, body, monkeypatch)
    assert (params, fields) == ({"order_id": "abc"}, {"seats": 2})
    assert source == f"//firestore.googleapis.com/projects/{PROJECT}/databases/(default)"


def test_a_message_has_its_data_and_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the name of the subscription that production would create."""
    receiver = function(
        "issue", trigger={"eventType": pubsub_events.EVENT_TYPE, "pubsubTopic": "paid"}
    )
    message = {
        "data": base64.b64encode(b'{"order_id": "x"}').decode(),
        "messageId": "7",
        "publishTime": "2026-12-01T17:18:52.123Z",
        "attributes": {"traceparent": "00-1"},
    }
    pushed = json.dumps({"message": message, "subscription": "s"}).encode()
    headers, body = pubsub_events.production_event(receiver, pushed)
    assert received(tmp_path, "message", headers, body, monkeypatch) == [
        {"order_id": "x"},
        {"traceparent": "00-1"},
        "7",
        f"projects/{PROJECT}/subscriptions/eventarc-us-central1-issue-sub",
    ]


def test_a_custom_event_has_its_data_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its attributes are headers in binary content mode."""
    event = {
        "id": "1",
        "source": "//here",
        "specVersion": "1.0",
        "type": "moved",
        "attributes": {"time": {"ceTimestamp": "2026-12-01T00:00:00.500000Z"}},
        "textData": '{"state": "paid"}',
    }
    headers, body = custom_events.binary_event(event)
    assert received(tmp_path, "custom", headers, body, monkeypatch) == [
        "1",
        {"state": "paid"},
        "2026-12-01T00:00:00.500000+00:00",
    ]
