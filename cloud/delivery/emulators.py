"""Clients of the functions emulator (deliveries) and of the Pub/Sub emulator (dead letters)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

import httpx

from cloud.delivery.event import Attempt, Event, parse_attempt

DEAD_LETTER_TOPIC = "dead-letter"

# The emulator ends a function after a minute, and closes the connection.
DELIVERY_TIMEOUT = httpx.Timeout(90.0, connect=5.0, pool=None)
# The emulator passes this header on to the worker. A worker closes an idle connection after 2 s,
# which is also the third delay of the default backoff: a retry would hit the closing connection.
_CLOSE_CONNECTION = {"connection": "close"}
# Pub/Sub rejects longer attribute values (in bytes of UTF-8).
ATTRIBUTE_MAX_BYTES = 1024


class Functions:
    """Delivers events through the functions emulator, as the other emulators do."""

    def __init__(self, http: httpx.AsyncClient, url: str, project: str) -> None:
        self._http = http
        self._triggers = f"{url.rstrip('/')}/functions/projects/{project}/triggers/"
        self._keys: dict[str, str] = {}

    async def deliver(self, event: Event, headers: Mapping[str, str]) -> Attempt:
        """Deliver `event` once, with `headers` added; never raises."""
        key = self._keys.get(event.function, f"us-central1-{event.function}-0")
        try:
            response = await self._post(event, headers, key)
            if response.status_code == httpx.codes.NOT_FOUND:
                # A concurrent delivery may have updated the key while this one used the old one.
                self._update_key(event, response.text)
                new_key = self._keys.get(event.function, key)
                if new_key != key:
                    response = await self._post(event, headers, new_key)
        except httpx.HTTPError as error:
            return Attempt(f"no answer: {type(error).__name__} {error}".rstrip())
        report = _report_in(response)
        if response.is_success:
            return Attempt(None, report.span, report.parent)
        problem = report.error or f"the function answered {response.status_code}"
        return Attempt(problem, report.span, report.parent)

    async def _post(self, event: Event, headers: Mapping[str, str], key: str) -> httpx.Response:
        event_headers, body = event.to_deliver()
        return await self._http.post(
            self._triggers + key,
            headers={**event_headers, **headers, **_CLOSE_CONNECTION},
            content=body,
            timeout=DELIVERY_TIMEOUT,
        )

    def _update_key(self, event: Event, error_text: str) -> None:
        """Find the key of a function's trigger in the emulator's 404 error, which lists all keys.

        A key is REGION-NAME-GENERATION, and then the channel of an Eventarc trigger. The generation
        increases each time the emulator reloads the functions.
        """
        pattern = rf"\b[a-z]+-[a-z]+\d+-{event.function}-(\d+)(?:-[^\s,]+)?(?=,|\s|$)"
        # Skip what is before the list: it names the trigger that does not exist.
        valid_keys = error_text.partition("valid functions are:")[2]
        newest = max(re.finditer(pattern, valid_keys), key=lambda key: int(key[1]), default=None)
        if newest is not None:
            self._keys[event.function] = newest[0]


class DeadLetters:
    """Publishes to the dead-letter topic, and creates it if needed."""

    def __init__(self, http: httpx.AsyncClient, url: str, project: str) -> None:
        self._http = http
        self._topic = f"{url.rstrip('/')}/v1/projects/{project}/topics/{DEAD_LETTER_TOPIC}"

    async def publish(self, body: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message and return its id.

        Raises:
            httpx.HTTPError: Pub/Sub can't be reached, or rejects the message.
        """
        created = await self._http.put(self._topic, json={})
        if created.status_code != httpx.codes.CONFLICT:
            created.raise_for_status()
        message = {
            "data": base64.b64encode(body).decode(),
            "attributes": {name: truncate(value) for name, value in attributes.items()},
        }
        response = await self._http.post(f"{self._topic}:publish", json={"messages": [message]})
        response.raise_for_status()
        return str(response.json()["messageIds"][0])


def truncate(value: str) -> str:
    """Return `value`, truncated to the maximum length of a Pub/Sub attribute."""
    return value.encode(errors="replace")[:ATTRIBUTE_MAX_BYTES].decode(errors="ignore")


def _report_in(response: httpx.Response) -> Attempt:
    try:
        return parse_attempt(response.json())
    except ValueError:
        return Attempt()
