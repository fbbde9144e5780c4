"""A small client of the Firestore emulator's REST API, as its administrator.

The functions' own client would do, but takes half a second to import and is traced; most workers
that ask for a flag never need it.
"""

from __future__ import annotations

import http.client
import json
from typing import Any

TIMEOUT_SECONDS = 5.0


class FirestoreError(Exception):
    """The emulator can't be reached or refuses; the message has its status and its answer."""


class FirestoreEmulator:
    """The default database of one project."""

    def __init__(self, host: str, project: str) -> None:
        self._host = host
        self._database = f"projects/{project}/databases/(default)"

    def collection(self, name: str) -> dict[str, dict[str, Any]]:
        """Return a collection's first 300 documents: their fields, by document id.

        Raises:
            FirestoreError: see there.
        """
        found = self._ask("GET", f"/documents/{name}?pageSize=300") or {}
        return {
            document["name"].rsplit("/", 1)[1]: document.get("fields", {})
            for document in found.get("documents", [])
        }

    def document(self, path: str) -> dict[str, Any]:
        """Return a document's fields; empty where there is no such document.

        Raises:
            FirestoreError: see there.
        """
        found = self._ask("GET", f"/documents/{path}") or {}
        fields: dict[str, Any] = found.get("fields", {})
        return fields

    def add_to_array(self, path: str, field: str, value: str) -> bool:
        """Add `value` to an array of a document unless it is in there; False without the document.

        Raises:
            FirestoreError: see there.
        """
        append = {"fieldPath": field, "appendMissingElements": {"values": [{"stringValue": value}]}}
        write = {
            "transform": {
                "document": f"{self._database}/documents/{path}",
                "fieldTransforms": [append],
            },
            "currentDocument": {"exists": True},
        }
        return self._ask("POST", "/documents:commit", {"writes": [write]}) is not None

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any] | None:
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
            answer: dict[str, Any] = json.loads(text)
            return answer
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FirestoreError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
