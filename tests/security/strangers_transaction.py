"""A transaction that a client without any rights opens over Firestore's REST API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from stack.clients.firestore_rest import NO_CERTIFICATES
from tests.security.lone_firestore import DOCUMENTS, LoneFirestore


class StrangersTransaction:
    """An open transaction, read-write unless `mode` says "readOnly".

    Attributes:
        statuses: the HTTP statuses of its reads, in order.
    """

    def __init__(self, url: str, token: str | None, mode: str = "readWrite") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=f"{url}/v1/{DOCUMENTS}",
            headers=headers,
            timeout=30,
            verify=NO_CERTIFICATES,
        )
        self.statuses: list[int] = []
        begun = self._call(":beginTransaction", options={mode: {}})
        self._id = begun.raise_for_status().json()["transaction"]

    def get(self, path: str) -> None:
        """Read a document."""
        name = f"{DOCUMENTS}/{path}"
        self._read(":batchGet", documents=[name])

    def query(self, collection: str, field: str, value: str) -> None:
        """Query the documents of a collection whose field has this value."""
        where = {
            "field": {"fieldPath": field},
            "op": "EQUAL",
            "value": {"stringValue": value},
        }
        query = {"from": [{"collectionId": collection}], "where": {"fieldFilter": where}}
        self._read(":runQuery", structuredQuery=query)

    def end(self) -> None:
        """Roll it back, which releases what it has locked; it may have lapsed."""
        self._call(":rollback", transaction=self._id)
        self._client.close()

    def _read(self, method: str, **body: Any) -> None:
        response = self._call(method, **body, transaction=self._id)
        self.statuses.append(response.status_code)

    def _call(self, method: str, **body: Any) -> httpx.Response:
        # Not a path relative to the base, which httpx would separate with a slash.
        return self._client.post(f"{self._client.base_url}".rstrip("/") + method, json=body)


#: What a stranger reads in the transaction.
Read = Callable[[StrangersTransaction], None]


@contextmanager
def strangers_transaction(
    firestore: LoneFirestore, token: str | None, read: Read, mode: str = "readWrite"
) -> Iterator[StrangersTransaction]:
    """Open a transaction, read in it, and keep it open while the block runs."""
    transaction = StrangersTransaction(firestore.url, token, mode)
    try:
        read(transaction)
        yield transaction
    finally:
        transaction.end()
