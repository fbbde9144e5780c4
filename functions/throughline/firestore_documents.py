"""What a Firestore call reads or writes, with ids replaced: `get orders/{id}`.

A commit lists its writes, such as `create tickets/{id} set tally/{id} update orders/{id}`. Ids are
left out, so that spans of the same work have the same summary, and no summary names a user.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

# The semantic conventions' limit for a summary.
SUMMARY_MAX_CHARS = 255


def describe_reads(request: Any) -> None:
    """Put the documents of a `BatchGetDocumentsRequest` on the current span."""
    _describe([("get", name) for name in _raw(request).documents])


def describe_writes(request: Any) -> None:
    """Put the writes of a `CommitRequest` or `BatchWriteRequest` on the current span."""
    _describe([_operation(write) for write in _raw(request).writes])


def pattern_of(name: str) -> str:
    """Return a document's path with its ids replaced: `orders/{id}`, `orders/{id}/notes/{id}`.

    `name` is a full resource name, `projects/P/databases/D/documents/PATH`.
    """
    path = name.partition("/documents/")[2]
    return "/".join("{id}" if index % 2 else part for index, part in enumerate(path.split("/")))


def _describe(operations: Sequence[tuple[str, str]]) -> None:
    """Describe calls by their operations: pairs of a verb and a document's resource name."""
    if not operations:
        return
    patterns = [(verb, pattern_of(name)) for verb, name in operations]
    attributes: dict[str, AttributeValue] = {"db.query.summary": _summary(patterns)}
    collections = {pattern.rpartition("/")[0] for _, pattern in patterns}
    if len(collections) == 1:
        attributes["db.collection.name"] = collections.pop()
    if len(operations) > 1:
        attributes["db.operation.batch.size"] = len(operations)
    trace.get_current_span().set_attributes(attributes)


def _summary(patterns: Sequence[tuple[str, str]]) -> str:
    """Return each distinct operation once, in order, with one verb for successive targets."""
    words: list[str] = []
    last_verb = ""
    for verb, pattern in dict.fromkeys(patterns):
        words += [pattern] if verb == last_verb else [verb, pattern]
        last_verb = verb
    return " ".join(words)[:SUMMARY_MAX_CHARS]


def _operation(write: Any) -> tuple[str, str]:
    """Return a write's verb and its document's resource name."""
    kind = write.WhichOneof("operation")
    if kind == "delete":
        return "delete", write.delete
    if kind == "transform":
        return "update", write.transform.document
    if write.current_document.WhichOneof("condition_type") == "exists":
        return ("update" if write.current_document.exists else "create"), write.update.name
    return "set", write.update.name


def _raw(request: Any) -> Any:
    """Return the protobuf message of a request; its wrapper copies each field that is read."""
    wrapper = type(request)
    return wrapper.pb(request) if hasattr(wrapper, "pb") else request
