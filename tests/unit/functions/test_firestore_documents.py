"""What a call reads or writes is on its span, with ids replaced."""

from __future__ import annotations

from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore import Client
from google.cloud.firestore_v1.types import BatchGetDocumentsRequest, CommitRequest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.functions.traceparents import attributes_of, the_span
from throughline import firestore_calls, firestore_documents

SECRET = "somebody"


@pytest.fixture(scope="module")
def client() -> Any:
    """A client without a connection."""
    return Client(project="demo-throughline", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]


def described(spans: InMemorySpanExporter, method: str, request: Any) -> dict[str, Any]:
    """Return the attributes of a call's span."""
    spans.clear()
    with trace.get_tracer("test").start_as_current_span(method):
        firestore_calls._describe(f"/google.firestore.v1.Firestore/{method}", request)
    return dict(attributes_of(the_span(spans)))


def test_reads_name_their_collections_and_no_ids(client: Any, spans: InMemorySpanExporter) -> None:
    """`db.collection.name` is of a single collection only, as the conventions say."""
    names = [client.document(path)._document_path for path in (f"a/{SECRET}", f"a/2/b/{SECRET}")]
    request = BatchGetDocumentsRequest(documents=names[:1])
    assert described(spans, "BatchGetDocuments", request) == {
        "db.collection.name": "a",
        "db.query.summary": "get a/{id}",
    }
    request = BatchGetDocumentsRequest(documents=names)
    assert described(spans, "BatchGetDocuments", request) == {
        "db.query.summary": "get a/{id} a/{id}/b/{id}",
        "db.operation.batch.size": 2,
    }


def test_a_commit_names_each_kind_of_write_once(client: Any, spans: InMemorySpanExporter) -> None:
    """So the summaries of orders for one ticket and for eight are the same."""
    batch = client.batch()
    for number in range(3):
        batch.create(client.document(f"tickets/{SECRET}-{number}"), {"uid": SECRET})
    batch.set(client.document("tally/3"), {"orders": firestore.Increment(1)}, merge=True)
    batch.set(client.document("letters/3"), {"at": firestore.SERVER_TIMESTAMP})
    batch.update(client.document(f"orders/{SECRET}"), {"state": "ticketed"})
    batch.delete(client.document(f"sweeps/{SECRET}"))
    request = CommitRequest(writes=batch._write_pbs)
    assert described(spans, "Commit", request) == {
        "db.query.summary": "create tickets/{id} set tally/{id} letters/{id} update orders/{id} "
        "delete sweeps/{id}",
        "db.operation.batch.size": 7,
    }


def test_a_summary_is_at_most_255_characters(client: Any, spans: InMemorySpanExporter) -> None:
    """That is the conventions' limit."""
    names = [client.document(f"{'c' * 40}{number}/1")._document_path for number in range(20)]
    request = BatchGetDocumentsRequest(documents=names)
    assert len(described(spans, "BatchGetDocuments", request)["db.query.summary"]) == 255


def test_a_call_without_documents_is_not_described(spans: InMemorySpanExporter) -> None:
    """A transaction that found nothing to do commits no writes."""
    assert described(spans, "Commit", CommitRequest()) == {}
    assert described(spans, "Rollback", CommitRequest()) == {}


def test_a_pattern_replaces_every_id() -> None:
    """Collections alternate with ids."""
    name = "projects/p/databases/(default)/documents/orders/1/notes/2"
    assert firestore_documents.pattern_of(name) == "orders/{id}/notes/{id}"
