"""Flags as documents of Firestore, over its REST API.

The document ``NAME`` with ``on: true`` turns a flag on; anything else, and no document, is off.
"""

import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

# The Firestore emulator takes this for the administrator, whom the rules do not bind. Firestore
# itself takes it for nobody, so that an address in production changes nothing there.
ADMINISTRATOR = {"Authorization": "Bearer owner"}
# A busy machine's emulator needs a moment; one that is away refuses at once.
TIMEOUT_SECONDS = 5.0
PAGE_SIZE = 300
NOT_FOUND = 404


class FlagsUnreachable(Exception):
    """Firestore did not do what it was asked; the message says why."""


class Flags:
    """The flags in the collection at ``url``, such as
    ``http://127.0.0.1:8080/v1/projects/P/databases/(default)/documents/flags``."""

    def __init__(self, url: str) -> None:
        self._url = url
        # trust_env: a proxy in the environment must not come between this machine and itself. An
        # emulator speaks plain HTTP, so none of the system's certificates is read for it.
        plain = urlsplit(url).scheme == "http"
        self._http = httpx.Client(
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            headers=ADMINISTRATOR,
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def on(self) -> frozenset[str]:
        """The names of the flags that are on.

        Raises:
            FlagsUnreachable: they can't be read.
        """
        found: set[str] = set()
        asked: dict[str, str | int] = {"pageSize": PAGE_SIZE}
        while True:
            body = self._asked("GET", self._url, asked)
            found |= {_id(each) for each in body.get("documents", []) if _is_on(each)}
            if not body.get("nextPageToken"):
                return frozenset(found)
            asked["pageToken"] = body["nextPageToken"]

    def turn(self, name: str, on: bool) -> None:
        """Turn one flag on or off; what else its document says stays.

        Raises:
            FlagsUnreachable: it can't be written, and is as it was.
        """
        asked: dict[str, str | int] = {"updateMask.fieldPaths": "on"}
        if not on:
            asked["currentDocument.exists"] = "true"
        changed = {"fields": {"on": {"booleanValue": on}}}
        self._asked("PATCH", f"{self._url}/{name}", asked, changed, missing_is_fine=not on)

    def _asked(
        self,
        method: str,
        url: str,
        query: dict[str, str | int],
        sent: dict[str, Any] | None = None,
        *,
        missing_is_fine: bool = False,
    ) -> dict[str, Any]:
        try:
            answer = self._http.request(method, url, params=query, json=sent)
            if missing_is_fine and answer.status_code == NOT_FOUND:
                return {}
            answer.raise_for_status()
            body = answer.json()
        except httpx.HTTPStatusError as error:
            why = f"it answered {error.response.status_code}"
            raise FlagsUnreachable(self._message(why)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FlagsUnreachable(self._message(str(error) or type(error).__name__)) from error
        except ValueError as error:
            raise FlagsUnreachable(self._message("another program answers there")) from error
        if not isinstance(body, dict):
            raise FlagsUnreachable(self._message("another program answers there"))
        return body

    def _message(self, why: str) -> str:
        parts = urlsplit(self._url)
        where = f"{parts.scheme}://{parts.netloc}"
        return f"Firestore at {where} does not give or take the flags: {why}."


def _id(document: dict[str, Any]) -> str:
    return str(document["name"]).rsplit("/", 1)[-1]


def _is_on(document: dict[str, Any]) -> bool:
    return document.get("fields", {}).get("on", {}).get("booleanValue") is True
