"""firestore-wants-indexes: a query whose composite index is missing fails.

Firestore rejects such a query in production; the emulator answers it. The client's gRPC channel
raises Firestore's error, by the same rules as `./scripts/indexes`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import grpc
from opentelemetry import trace

from cloud import firestore_indexes
from cloud.platform_conditions import channels
from cloud.platform_conditions.catalogue import FIRESTORE_WANTS_INDEXES
from cloud.platform_conditions.flags import Flags

QUERIES = frozenset(
    f"google.firestore.v1.Firestore/{method}" for method in ("RunQuery", "RunAggregationQuery")
)
#: Span attribute of OpenTelemetry's semantic conventions that holds the text of a query.
QUERY = "db.query.text"


class Refused(grpc.RpcError):  # type: ignore[misc]
    """The error that a gRPC client raises for Firestore's FAILED_PRECONDITION response."""

    def __init__(self, details: str) -> None:
        super().__init__(details)
        self._details = details

    def code(self) -> grpc.StatusCode:
        """Return FAILED_PRECONDITION."""
        return grpc.StatusCode.FAILED_PRECONDITION

    def details(self) -> str:
        """Return the message, which names the missing index."""
        return self._details

    def trailing_metadata(self) -> tuple[()]:
        """Return no metadata."""
        return ()


def inject(flags: Flags, index_file: Path) -> None:
    """Make Firestore's clients reject queries whose index is not in `index_file`.

    Call this before the app instruments its channels: the query is read from the call's span.
    """
    indexes: Mapping[str, Any] = json.loads(index_file.read_text())

    @lru_cache
    def missing(text: str) -> str:
        try:
            return ", ".join(map(str, firestore_indexes.missing(text, indexes)))
        except firestore_indexes.Unreadable:
            return ""

    def reject(method: str, _request: object, send: Callable[[], Any]) -> Any:
        if method in QUERIES:
            attributes = getattr(trace.get_current_span(), "attributes", None) or {}
            text = attributes.get(QUERY)
            missing_indexes = missing(text) if isinstance(text, str) else ""
            if missing_indexes and flags.is_met(FIRESTORE_WANTS_INDEXES):
                raise Refused(f"The query requires an index: {missing_indexes}")
        return send()

    channels.intercept_streams(reject)
