"""Clients of the functions emulator, to deliver, and the Pub/Sub emulator, for dead letters."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

import httpx

from cloud.delivery.event import Attempt, Event, parse_attempt

DEAD_LETTER_TOPIC = "dead-letter"

# A function may take a minute; the emulator then ends it and closes the connection.
DELIVERY_TIMEOUT = httpx.Timeout(90.0, connect=5.0, pool=None)
# The emulator passes it on to the worker. Kept alive, that connection would be closed by the worker
# after 2 s idle, at the very moment that the third gap of the usual backoff ends.
_ONCE = {"connection": "close"}
# Pub/Sub refuses an attribute's value that is longer, in bytes of UTF-8.
ATTRIBUTE_MAX_BYTES = 1024


class Functions:
    """Deliver events through the functions emulator, as the other emulators do."""

    def __init__(self, http: httpx.AsyncClient, url: str, project: str) -> None:
        self._http = http
        self._triggers = f"{url.rstrip('/')}/functions/projects/{project}/triggers/"
        self._keys: dict[str, str] = {}

    async def deliver(self, event: Event, headers: Mapping[str, str]) -> Attempt:
        """Deliver `event` once, with `headers` added; never raises."""
        key = self._keys.get(event.function, f"us-central1-{event.function}-0")
        try:
            answer = await self._post(event, headers, key)
            if answer.status_code == httpx.codes.NOT_FOUND:
                # Concurrent deliveries may have learnt the new key while this one used the old.
                self._learn_key(event, answer.text)
                learnt = self._keys.get(event.function, key)
                if learnt != key:
                    answer = await self._post(event, headers, learnt)
        except httpx.HTTPError as error:
            return Attempt(f"no answer: {type(error).__name__} {error}".rstrip())
        report = _report_in(answer)
        if answer.is_success:
            return Attempt(None, report.span, report.parent)
        problem = report.error or f"the function answered {answer.status_code}"
        return Attempt(problem, report.span, report.parent)

    async def _post(self, event: Event, headers: Mapping[str, str], key: str) -> httpx.Response:
        own, body = event.to_deliver()
        return await self._http.post(
            self._triggers + key,
            headers={**own, **headers, **_ONCE},
            content=body,
            timeout=DELIVERY_TIMEOUT,
        )

    def _learn_key(self, event: Event, valid_functions: str) -> None:
        """Find a function's trigger in the list of valid ones that the emulator answers with.

        A trigger's key is REGION-NAME-GENERATION, then the channel of an Eventarc trigger; its
        generation goes up each time that the emulator reloads the functions.
        """
        pattern = rf"\b[a-z]+-[a-z]+\d+-{event.function}-(\d+)(?:-[^\s,]+)?(?=,|\s|$)"
        # Before the list, the answer names the trigger that isn't there.
        valid = valid_functions.partition("valid functions are:")[2]
        found = max(re.finditer(pattern, valid), key=lambda key: int(key[1]), default=None)
        if found is not None:
            self._keys[event.function] = found[0]


class DeadLetters:
    """Publish to the dead-letter topic, creating it if needed."""

    def __init__(self, http: httpx.AsyncClient, url: str, project: str) -> None:
        self._http = http
        self._topic = f"{url.rstrip('/')}/v1/projects/{project}/topics/{DEAD_LETTER_TOPIC}"

    async def publish(self, body: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message and return its id.

        Raises:
            httpx.HTTPError: Pub/Sub can't be reached, or refuses it.
        """
        made = await self._http.put(self._topic, json={})
        if made.status_code != httpx.codes.CONFLICT:
            made.raise_for_status()
        message = {
            "data": base64.b64encode(body).decode(),
            "attributes": {name: cut(value) for name, value in attributes.items()},
        }
        answer = await self._http.post(f"{self._topic}:publish", json={"messages": [message]})
        answer.raise_for_status()
        return str(answer.json()["messageIds"][0])


def cut(value: str) -> str:
    """Return `value`, truncated to what Pub/Sub takes in an attribute."""
    return value.encode(errors="replace")[:ATTRIBUTE_MAX_BYTES].decode(errors="ignore")


def _report_in(answer: httpx.Response) -> Attempt:
    try:
        return parse_attempt(answer.json())
    except ValueError:
        return Attempt()
