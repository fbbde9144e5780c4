"""A client of Firestore's REST API: the encoding of values, and the calls that the stack needs."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import httpx

#: The emulator accepts this token as an administrator's, which the rules don't limit.
OWNER = "owner"

#: `verify` of an httpx client for the emulators, which use plain HTTP: without it each client loads
#: all of the system's certificates, which takes far longer than a request.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def encode(value: object) -> dict[str, Any]:
    """Encode a Python value for the REST API."""
    match value:
        case bool():
            return {"booleanValue": value}
        case int():
            return {"integerValue": str(value)}
        case float():
            return {"doubleValue": value}
        case datetime():
            return {"timestampValue": value.isoformat().replace("+00:00", "Z")}
        case dict():
            fields = {key: encode(inner) for key, inner in value.items()}
            return {"mapValue": {"fields": fields}}
        case list():
            return {"arrayValue": {"values": [encode(inner) for inner in value]}}
        case None:
            return {"nullValue": None}
    return {"stringValue": str(value)}


def decode(value: dict[str, Any]) -> Any:
    """Decode a value of the REST API; timestamps stay text."""
    ((kind, inner),) = value.items()
    match kind:
        case "integerValue":
            return int(inner)
        case "mapValue":
            return {key: decode(field) for key, field in inner.get("fields", {}).items()}
        case "arrayValue":
            return [decode(item) for item in inner.get("values", [])]
    return inner


class Firestore:
    """The documents of one project at `url`, with the rights of `token` (None: signed out)."""

    def __init__(self, url: str, project: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=f"{url}/v1/", headers=headers, timeout=30, verify=NO_CERTIFICATES
        )
        self._documents = f"projects/{project}/databases/(default)/documents"

    def create(
        self, path: str, document: dict[str, Any], server_times: tuple[str, ...] = ()
    ) -> httpx.Response:
        """Create a document; the fields named in `server_times` get the server's time."""
        write = self._write(path, document, server_times)
        return self._commit({**write, "currentDocument": {"exists": False}})

    def create_beside(
        self,
        other: tuple[str, dict[str, Any], tuple[str, ...]],
        path: str,
        document: dict[str, Any],
        server_times: tuple[str, ...] = (),
    ) -> httpx.Response:
        """Create a document, and in the same commit set `other`: path, document, server times."""
        write = self._write(path, document, server_times)
        return self._commit({**write, "currentDocument": {"exists": False}}, self._write(*other))

    def set(
        self, path: str, document: dict[str, Any], server_times: tuple[str, ...] = ()
    ) -> httpx.Response:
        """Create or replace a document, as `set` of the SDKs does."""
        return self._commit(self._write(path, document, server_times))

    def update(self, path: str, fields: dict[str, Any]) -> httpx.Response:
        """Change some fields of an existing document."""
        write = {
            "update": {
                "name": f"{self._documents}/{path}",
                "fields": encode(fields)["mapValue"]["fields"],
            },
            "updateMask": {"fieldPaths": list(fields)},
            "currentDocument": {"exists": True},
        }
        return self._commit(write)

    def add(self, path: str, amounts: Mapping[str, int]) -> httpx.Response:
        """Increment numeric fields of a document atomically."""
        transforms = [
            {"fieldPath": field, "increment": encode(amount)} for field, amount in amounts.items()
        ]
        name = f"{self._documents}/{path}"
        return self._commit({"transform": {"document": name, "fieldTransforms": transforms}})

    def delete(self, path: str) -> httpx.Response:
        """Delete a document."""
        return self._commit({"delete": f"{self._documents}/{path}"})

    def get(self, path: str) -> httpx.Response:
        """Request a document, and return the HTTP response."""
        return self._client.get(f"{self._documents}/{path}")

    def read(self, path: str) -> dict[str, Any]:
        """Return a document as a Python map; raises httpx.HTTPStatusError if it does not exist."""
        response = self.get(path)
        response.raise_for_status()
        fields: dict[str, Any] = decode({"mapValue": response.json()})
        return fields

    def query(self, collection: str, uid: str | None = None) -> httpx.Response:
        """Query a collection, optionally only the documents whose field `uid` is `uid`."""
        query: dict[str, Any] = {"from": [{"collectionId": collection}]}
        if uid is not None:
            query["where"] = _equal("uid", uid)
        return self._client.post(f"{self._documents}:runQuery", json={"structuredQuery": query})

    def find(self, collection: str, uid: str) -> list[dict[str, Any]]:
        """Return the documents of a collection whose field `uid` is `uid`, as Python maps."""
        response = self.query(collection, uid)
        response.raise_for_status()
        return [
            decode({"mapValue": row["document"]}) for row in response.json() if "document" in row
        ]

    def ids_where(self, collection: str, field: str, value: object) -> list[str]:
        """Return the ids of the documents of a collection in which `field` equals `value`."""
        query = {
            "from": [{"collectionId": collection}],
            "where": _equal(field, value),
            "select": {"fields": [{"fieldPath": "__name__"}]},
        }
        response = self._client.post(f"{self._documents}:runQuery", json={"structuredQuery": query})
        response.raise_for_status()
        return [
            row["document"]["name"].rsplit("/", 1)[1]
            for row in response.json()
            if "document" in row
        ]

    def create_all(self, collection: str, documents: Mapping[str, dict[str, Any]]) -> None:
        """Create several documents in one commit; `documents` is by id."""
        writes = [
            {
                **self._write(f"{collection}/{id_}", document, ()),
                "currentDocument": {"exists": False},
            }
            for id_, document in documents.items()
        ]
        self._commit(*writes).raise_for_status()

    def delete_all(self, collection: str, ids: Iterable[str]) -> None:
        """Delete several documents in one commit."""
        writes = [{"delete": f"{self._documents}/{collection}/{id_}"} for id_ in ids]
        if writes:
            self._commit(*writes).raise_for_status()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _write(
        self, path: str, document: dict[str, Any], server_times: tuple[str, ...]
    ) -> dict[str, Any]:
        fields = encode(document)["mapValue"]["fields"]
        return {
            "update": {"name": f"{self._documents}/{path}", "fields": fields},
            "updateTransforms": [
                {"fieldPath": field, "setToServerValue": "REQUEST_TIME"} for field in server_times
            ],
        }

    def _commit(self, *writes: dict[str, Any]) -> httpx.Response:
        return self._client.post(f"{self._documents}:commit", json={"writes": list(writes)})


def _equal(field: str, value: object) -> dict[str, Any]:
    return {"fieldFilter": {"field": {"fieldPath": field}, "op": "EQUAL", "value": encode(value)}}
