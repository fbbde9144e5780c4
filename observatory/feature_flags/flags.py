"""Read and write feature flags in Firestore, over its REST API.

A flag is on if its document ``NAME`` has ``on: true``. Otherwise, or without a document, it is off.
"""

import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

# The Firestore emulator accepts this token as an administrator, who bypasses the rules. Firestore
# itself rejects it, so a production URL given by mistake changes nothing there.
ADMINISTRATOR = {"Authorization": "Bearer owner"}
# Enough for the emulator on a busy machine. If it is not running, the connection fails at once.
TIMEOUT_SECONDS = 5.0
PAGE_SIZE = 300
NOT_FOUND = 404


class FlagsUnreachable(Exception):
    """Firestore could not be read or written; the message says why."""


class Flags:
    """The flags in a Firestore collection.

    Args:
        url: the collection, such as
            ``http://127.0.0.1:8080/v1/projects/P/databases/(default)/documents/flags``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        # trust_env: requests within this machine must not go through a proxy. verify: loading the
        # system's certificates takes time and plain HTTP does not need them.
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
        """Return the names of the flags that are on.

        Raises:
            FlagsUnreachable: the flags cannot be read.
        """
        names: set[str] = set()
        query: dict[str, str | int] = {"pageSize": PAGE_SIZE}
        while True:
            body = self._request("GET", self._url, query)
            names |= {_id(each) for each in body.get("documents", []) if _is_on(each)}
            if not body.get("nextPageToken"):
                return frozenset(names)
            query["pageToken"] = body["nextPageToken"]

    def turn(self, name: str, on: bool) -> None:
        """Turn a flag on or off; other fields of its document stay unchanged.

        Raises:
            FlagsUnreachable: the flag cannot be written and is unchanged.
        """
        query: dict[str, str | int] = {"updateMask.fieldPaths": "on"}
        if not on:
            query["currentDocument.exists"] = "true"
        patch = {"fields": {"on": {"booleanValue": on}}}
        self._request("PATCH", f"{self._url}/{name}", query, patch, missing_is_off=not on)

    def _request(
        self,
        method: str,
        url: str,
        query: dict[str, str | int],
        document: dict[str, Any] | None = None,
        *,
        missing_is_off: bool = False,
    ) -> dict[str, Any]:
        try:
            response = self._http.request(method, url, params=query, json=document)
            if missing_is_off and response.status_code == NOT_FOUND:
                return {}
            response.raise_for_status()
            body = response.json()
        except httpx.HTTPStatusError as error:
            reason = f"it responded with status {error.response.status_code}"
            raise FlagsUnreachable(self._message(reason)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FlagsUnreachable(self._message(str(error) or type(error).__name__)) from error
        except ValueError as error:
            raise FlagsUnreachable(self._message("another program answers there")) from error
        if not isinstance(body, dict):
            raise FlagsUnreachable(self._message("another program answers there"))
        return body

    def _message(self, reason: str) -> str:
        url = urlsplit(self._url)
        return (
            f"The flags at {url.scheme}://{url.netloc} cannot be read or written: {reason}. "
            "Check that the Firestore emulator is running."
        )


def _id(document: dict[str, Any]) -> str:
    return str(document["name"]).rsplit("/", 1)[-1]


def _is_on(document: dict[str, Any]) -> bool:
    return document.get("fields", {}).get("on", {}).get("booleanValue") is True
