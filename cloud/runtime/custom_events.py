"""Eventarc's publishing API: matches published CloudEvents with the functions that ask for them.

https://docs.cloud.google.com/eventarc/docs/reference/publishing/rest/v1/projects.locations.channels/publishEvents
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cloud.runtime.firestore_events import BadEvent
from cloud.runtime.service import Service

_VALUES = ("ceString", "ceTimestamp", "ceUri", "ceUriRef", "ceInteger", "ceBoolean", "ceBytes")


def receivers(
    services: Iterable[Service], channel: str, event: Mapping[str, Any]
) -> Iterator[Service]:
    """Yield the functions whose trigger matches an event of a channel."""
    for service in services:
        trigger = service.function.trigger or {}
        if trigger.get("channel") == channel and trigger["eventType"] == event.get("type"):
            attributes = _attributes(event)
            if all(
                attributes.get(one["attribute"]) == one["value"]
                for one in trigger.get("eventFilters") or []
            ):
                yield service


def binary_event(event: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
    """Return an event of the publishing API in binary content mode.

    Raises:
        BadEvent: an attribute that every CloudEvent must have is missing.
    """
    for name in ("id", "source", "specVersion", "type"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise BadEvent(f"the event has no {name}")
    attributes = _attributes(event)
    content_type = attributes.pop("datacontenttype", "application/json")
    headers = {
        "ce-id": event["id"],
        "ce-source": event["source"],
        "ce-specversion": event["specVersion"],
        "ce-type": event["type"],
        **{f"ce-{name}": value for name, value in attributes.items()},
        "content-type": content_type,
    }
    return headers, str(event.get("textData", "")).encode()


def _attributes(event: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.lower(): str(value[kind])
        for name, value in (event.get("attributes") or {}).items()
        for kind in _VALUES
        if kind in value
    }
