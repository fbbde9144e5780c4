"""firestore-wants-indexes: a query that lacks its composite index is refused.

Firestore refuses it in production; the emulator answers every query. The refusal stands in for
Firestore's response, in the client's own channel, by the same rules as `./scripts/indexes`.
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
#: By this attribute of OpenTelemetry's semantic conventions a call's span says what it asks for.
QUERY = "db.query.text"


class Refused(grpc.RpcError):  # type: ignore[misc]
    """The status that Firestore answers with, as gRPC's clients raise it."""

    def __init__(self, details: str) -> None:
        super().__init__(details)
        self._details = details

    def code(self) -> grpc.StatusCode:
        """Return FAILED_PRECONDITION."""
        return grpc.StatusCode.FAILED_PRECONDITION

    def details(self) -> str:
        """Return what the index would have to hold."""
        return self._details

    def trailing_metadata(self) -> tuple[()]:
        """Return no metadata."""
        return ()


def inject(flags: Flags, index_file: Path) -> None:
    """Have Firestore's clients refuse the queries whose index is not in `index_file`.

    Goes in before the app traces its channels: the span of the call names the query.
    """
    indexes: Mapping[str, Any] = json.loads(index_file.read_text())

    @lru_cache
    def missing(text: str) -> str:
        try:
            return ", ".join(map(str, firestore_indexes.missing(text, indexes)))
        except firestore_indexes.Unreadable:
            return ""

    def refuse(method: str, _request: object, go_on: Callable[[], Any]) -> Any:
        if method in QUERIES:
            attributes = getattr(trace.get_current_span(), "attributes", None) or {}
            text = attributes.get(QUERY)
            lacking = missing(text) if isinstance(text, str) else ""
            if lacking and flags.is_met(FIRESTORE_WANTS_INDEXES):
                raise Refused(f"The query requires an index: {lacking}")
        return go_on()

    channels.intercept_streams(refuse)
