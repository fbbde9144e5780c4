"""Builds events as the platform posts them, for the decorators of firebase_functions."""

from __future__ import annotations

import base64
from typing import Any

from cloudevents.http import CloudEvent

TIME = "2026-03-01T12:00:00.000000Z"
DOCUMENT = "orders/AbCdEfGhIjKlMnOpQrSt"
SOURCE = "//firestore.googleapis.com/projects/demo-throughline/databases/(default)"


def document_event(
    kind: str, after: dict[str, Any] | None, before: dict[str, Any] | None = None
) -> CloudEvent:
    """Return a Firestore event; `kind` is "created", "updated", "deleted" or "written"."""
    data = {}
    for key, fields in (("value", after), ("oldValue", before)):
        if fields is not None:
            data[key] = {"name": f"{SOURCE}/documents/{DOCUMENT}", "fields": fields}
    return CloudEvent(
        {
            "id": "event-1",
            "source": SOURCE,
            "type": f"google.cloud.firestore.document.v1.{kind}",
            "specversion": "1.0",
            "subject": f"documents/{DOCUMENT}",
            "time": TIME,
            "datacontenttype": "application/protobuf",
            "location": "nam5",
            "project": "demo-throughline",
            "namespace": "(default)",
            "document": DOCUMENT,
            "database": "(default)",
        },
        _serialised(data),
    )


def text_map(**entries: str) -> dict[str, Any]:
    """Return a map of strings as a document's field."""
    return {"mapValue": {"fields": {key: {"stringValue": text} for key, text in entries.items()}}}


def message_event(**message: Any) -> CloudEvent:
    """Return a Pub/Sub event of a message with these fields besides its data."""
    return CloudEvent(
        {
            "id": "event-2",
            "source": "//pubsub.googleapis.com/projects/demo-throughline/topics/order-paid",
            "type": "google.cloud.pubsub.topic.v1.messagePublished",
            "specversion": "1.0",
            "time": TIME,
        },
        {
            "subscription": "projects/demo-throughline/subscriptions/any",
            "message": {
                "data": base64.b64encode(b"{}").decode(),
                "message_id": "7",
                "messageId": "7",
                "publish_time": TIME,
                "publishTime": TIME,
                **message,
            },
        },
    )


def _serialised(data: dict[str, Any]) -> bytes:
    from google.events.cloud.firestore import DocumentEventData
    from google.protobuf import json_format

    event = DocumentEventData()
    json_format.ParseDict(data, DocumentEventData.pb(event))
    serialised: bytes = DocumentEventData.serialize(event)
    return serialised
