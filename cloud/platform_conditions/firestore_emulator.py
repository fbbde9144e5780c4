"""A small client of the Firestore emulator's REST API, with an administrator's rights.

It is used instead of Google's client, which takes half a second to import and is traced; most
workers read flags but never use Google's client.
"""

from __future__ import annotations

import http.client
import json
from typing import Any

TIMEOUT_SECONDS = 5.0


class FirestoreError(Exception):
    """The emulator can't be reached or returned an error; the message has the status and body."""


class FirestoreEmulator:
    """The default database of one project."""

    def __init__(self, host: str, project: str) -> None:
        self._host = host
        self._database = f"projects/{project}/databases/(default)"

    def collection(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the fields of a collection's first 300 documents, by document id.

        Raises:
            FirestoreError: the emulator can't be reached or returned an error.
        """
        page = self._request("GET", f"/documents/{name}?pageSize=300") or {}
        return {
            document["name"].rsplit("/", 1)[1]: document.get("fields", {})
            for document in page.get("documents", [])
        }

    def document(self, path: str) -> dict[str, Any]:
        """Return a document's fields, or an empty map if the document does not exist.

        Raises:
            FirestoreError: the emulator can't be reached or returned an error.
        """
        document = self._request("GET", f"/documents/{path}") or {}
        fields: dict[str, Any] = document.get("fields", {})
        return fields

    def add_to_array(self, path: str, field: str, value: str) -> bool:
        """Add `value` to an array field unless it is in there; return whether the document exists.

        Raises:
            FirestoreError: the emulator can't be reached or returned an error.
        """
        append = {"fieldPath": field, "appendMissingElements": {"values": [{"stringValue": value}]}}
        write = {
            "transform": {
                "document": f"{self._database}/documents/{path}",
                "fieldTransforms": [append],
            },
            "currentDocument": {"exists": True},
        }
        return self._request("POST", "/documents:commit", {"writes": [write]}) is not None

    def _request(self, method: str, path: str, body: object = None) -> dict[str, Any] | None:
        connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(
                method,
                f"/v1/{self._database}{path}",
                None if body is None else json.dumps(body),
                {"Authorization": "Bearer owner", "Content-Type": "application/json"},
            )
            response = connection.getresponse()
            text = response.read()
            if response.status == http.client.NOT_FOUND:
                return None
            if response.status != http.client.OK:
                raise FirestoreError(f"{response.status} {text[:200]!r}")
            payload: dict[str, Any] = json.loads(text)
            return payload
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FirestoreError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
