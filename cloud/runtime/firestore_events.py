"""Registers document triggers at the Firestore emulator, and makes production's events of its own.

The emulator sends its events to the address of `--functions_emulator`, to the path
`/functions/projects/P/triggers/KEY`, as a POST in binary content mode. Recorded from version 1.19.9
for a created document, and how production's events differ
(https://docs.cloud.google.com/eventarc/docs/run/route-trigger-cloud-firestore,
https://docs.cloud.google.com/eventarc/docs/cloudevents):

| | emulator | production |
|---|---|---|
| body | the protobuf DocumentEventData in base64 | the protobuf itself |
| `ce-source` | `//firestore.googleapis.com/projects/projects/P…` | `…/projects/P…` |
| `ce-time` | whole seconds | with a fraction |
| `ce-location` | always us-central1 | the database's location |
| `authorization` | none | the identity token of the trigger's account |
| `ce-id`, `ce-type`, `ce-subject`, `ce-document` and other `ce-` headers | the same | the same |

Whether production sends an empty `update_mask` with a created document, as the emulator does, is
not documented; it is left as it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from cloud.deployment.deployed import Function

EVENT_TYPE_PREFIX = "google.cloud.firestore.document."


class BadEvent(Exception):
    """The emulator sent something that is not a document event."""


def is_document_function(function: Function) -> bool:
    """Return whether the function is triggered by documents."""
    return bool(function.trigger) and str((function.trigger or {})["eventType"]).startswith(
        EVENT_TYPE_PREFIX
    )


def key_of(function: Function) -> str:
    """Return the key of the function's trigger at the emulator."""
    return f"{function.region}-{function.name}"


async def register(client: httpx.AsyncClient, emulator: str, function: Function) -> None:
    """Register the function's trigger at the emulator.

    Raises:
        httpx.HTTPError: the emulator refuses it.
    """
    trigger = function.trigger or {}
    project = str(function.resource["name"]).split("/")[1]
    filters = {one["attribute"]: one for one in trigger["eventFilters"]}
    document = filters["document"]
    is_pattern = document.get("operator") == "match-path-pattern"
    response = await client.post(
        f"{emulator}/emulator/v1/projects/{project}/eventarcTrigger",
        params={"eventarcTriggerId": key_of(function)},
        json={
            "eventType": trigger["eventType"],
            "database": filters["database"]["value"],
            "namespace": filters["namespace"]["value"] if "namespace" in filters else "(default)",
            "document": {
                "value": document["value"],
                "matchType": "PATH_PATTERN" if is_pattern else "EXACT",
            },
        },
    )
    response.raise_for_status()


def production_event(
    headers: Mapping[str, str], body: bytes, location: str
) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the event as production would send it.

    Raises:
        BadEvent: the headers or the body are not the emulator's.
    """
    event = {name: value for name, value in headers.items() if name.startswith("ce-")}
    if not {"ce-id", "ce-type", "ce-source", "ce-time", "ce-document"} <= set(event):
        raise BadEvent(f"the request lacks headers of a document event: {sorted(event)}")
    try:
        payload = base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise BadEvent("the body is not base64") from error
    time = event["ce-time"]
    if not re.search(r"\.\d+Z$", time):
        # The emulator's clock has no fraction; the microseconds are those of the receipt.
        time = time.removesuffix("Z") + f".{datetime.now(UTC).microsecond:06}Z"
    return {
        **event,
        "ce-source": event["ce-source"].replace("/projects/projects/", "/projects/"),
        "ce-time": time,
        "ce-location": location,
        "content-type": "application/protobuf",
        "user-agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
    }, payload
