"""A Firestore in memory, with as much of the client's interface as the stages use.

Transactions run one after the other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from google.api_core.exceptions import AlreadyExists, NotFound
from google.cloud import firestore


@dataclass(frozen=True)
class Snapshot:
    """One document as it was read."""

    reference: Reference
    fields: dict[str, Any] | None
    read_time: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def id(self) -> str:
        return self.reference.path.rpartition("/")[2]

    def get(self, name: str) -> Any:
        return (self.fields or {})[name]

    @property
    def exists(self) -> bool:
        return self.fields is not None

    def to_dict(self) -> dict[str, Any] | None:
        return None if self.fields is None else dict(self.fields)


@dataclass
class MemoryFirestore:
    """The documents, by path."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def collection(self, name: str) -> Collection:
        return Collection(self, name)

    def document(self, path: str) -> Reference:
        return Reference(self, path)

    def transaction(self, max_attempts: int) -> Transaction:
        return Transaction(self, max_attempts)

    def in_collection(self, name: str) -> dict[str, dict[str, Any]]:
        """Return a collection's documents by id."""
        prefix = f"{name}/"
        return {
            path.removeprefix(prefix): fields
            for path, fields in self.documents.items()
            if path.startswith(prefix)
        }

    def write(self, path: str, changes: Mapping[str, Any], *, merge: bool) -> None:
        """Set a document, or merge changes into it; names with a dot are paths of fields."""
        document = dict(self.documents.get(path, {})) if merge else {}
        for name, value in changes.items():
            outer, _, inner = name.partition(".")
            if value is firestore.DELETE_FIELD:
                document.pop(name, None)
            elif inner:
                document[outer] = {**document.get(outer, {}), inner: resolved(value, None)}
            else:
                document[outer] = resolved(value, document.get(outer))
        self.documents[path] = document


def resolved(value: object, current: Any) -> Any:
    """Return what the server stores for a value that may be a transform."""
    if value is firestore.SERVER_TIMESTAMP:
        return datetime.now(UTC)
    if isinstance(value, firestore.Increment):
        return (current or 0) + value.value
    return value


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "in": lambda value, listed: value in listed,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Collection:
    """A collection, or a query of it; the order and the limit are ignored."""

    client: MemoryFirestore
    name: str
    filters: tuple[firestore.FieldFilter, ...] = ()

    def document(self, document_id: str) -> Reference:
        return Reference(self.client, f"{self.name}/{document_id}")

    def where(self, *, filter: firestore.FieldFilter) -> Collection:
        return replace(self, filters=(*self.filters, filter))

    def order_by(self, _field: str) -> Collection:
        return self

    def limit(self, _count: int) -> Collection:
        return self

    def get(self) -> list[Snapshot]:
        return [
            Snapshot(self.document(name), fields)
            for name, fields in self.client.in_collection(self.name).items()
            if all(self._matches(fields, each) for each in self.filters)
        ]

    def _matches(self, fields: Mapping[str, Any], condition: firestore.FieldFilter) -> bool:
        is_set = condition.field_path in fields
        compare = OPERATORS[condition.op_string]
        return is_set and compare(fields[condition.field_path], condition.value)


@dataclass(frozen=True)
class Reference:
    """A reference to a document."""

    client: MemoryFirestore
    path: str

    def get(self, transaction: Transaction | None = None) -> Snapshot:
        assert transaction is None or not transaction.writes, "a read after a write"
        return Snapshot(self, self.client.documents.get(self.path))

    def set(self, fields: Mapping[str, Any]) -> None:
        self.client.write(self.path, fields, merge=False)

    def delete(self) -> None:
        self.client.documents.pop(self.path, None)

    def create(self, fields: Mapping[str, Any]) -> None:
        if self.path in self.client.documents:
            raise AlreadyExists(self.path)  # type: ignore[no-untyped-call]
        self.set(fields)


@dataclass(frozen=True)
class WriteResult:
    """The result of one write: the new values of the fields that it incremented."""

    transform_results: list[SimpleNamespace]


class Transaction:
    """A transaction as `firestore.transactional` drives it."""

    def __init__(self, client: MemoryFirestore, max_attempts: int) -> None:
        self._client = client
        self._max_attempts = max_attempts
        self._read_only = False
        self._id: bytes | None = None
        self.writes: list[tuple[str, Reference, Mapping[str, Any]]] = []
        self.write_results: list[WriteResult] | None = None

    @property
    def _write_pbs(self) -> list[tuple[str, Reference, Mapping[str, Any]]]:
        return self.writes

    def get_all(self, references: Iterable[Reference]) -> list[Snapshot]:
        return [reference.get(self) for reference in references]

    def create(self, reference: Reference, fields: Mapping[str, Any]) -> None:
        self.writes.append(("create", reference, fields))

    def update(self, reference: Reference, fields: Mapping[str, Any]) -> None:
        self.writes.append(("update", reference, fields))

    def set(self, reference: Reference, fields: Mapping[str, Any], merge: bool = False) -> None:
        self.writes.append(("merge" if merge else "set", reference, fields))

    def _begin(self, retry_id: bytes | None = None) -> None:
        self._id = retry_id or b"transaction"

    def _clean_up(self) -> None:
        self.writes = []
        self._id = None

    def _rollback(self) -> None:
        self._clean_up()

    def _commit(self) -> None:
        """Make all writes, or none if one of them is not possible."""
        for kind, reference, _ in self.writes:
            exists = reference.path in self._client.documents
            if kind == "update" and not exists:
                raise NotFound(reference.path)  # type: ignore[no-untyped-call]
            if kind == "create" and exists:
                raise AlreadyExists(reference.path)  # type: ignore[no-untyped-call]
        self.write_results = []
        for kind, reference, fields in self.writes:
            self._client.write(reference.path, fields, merge=kind in ("update", "merge"))
            stored = self._client.documents[reference.path]
            incremented = [
                SimpleNamespace(integer_value=stored[name])
                for name, value in fields.items()
                if isinstance(value, firestore.Increment)
            ]
            self.write_results.append(WriteResult(incremented))
        self._clean_up()
