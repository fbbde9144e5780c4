"""Split a large document into several that each fit into one API request."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

# Well below the API's limit for a request, because only the items are counted.
PIECE_BYTES = 8 * 2**20

OTLP = (
    ("resourceSpans", "scopeSpans", "spans"),
    ("resource_spans", "scope_spans", "spans"),
    ("resourceLogs", "scopeLogs", "logRecords"),
    ("resource_logs", "scope_logs", "log_records"),
    ("resourceMetrics", "scopeMetrics", "metrics"),
    ("resource_metrics", "scope_metrics", "metrics"),
)


def pieces_of(
    document: Mapping[str, Any], limit_bytes: int = PIECE_BYTES
) -> Iterator[Mapping[str, Any]]:
    """Yield documents of about ``limit_bytes`` with the contents of ``document``.

    A small document, or one with an unexpected structure, is yielded whole; the API reports errors.
    """
    if _size(document) <= limit_bytes:
        yield document
    elif isinstance(document.get("data"), list):
        for traces in _grouped_by_size(document["data"], limit_bytes):
            yield {"data": traces}
    else:
        try:
            pieces = [
                {path[0]: groups}
                for path in OTLP
                for groups in _grouped_by_size(
                    list(_split(document, path, limit_bytes)), limit_bytes
                )
            ]
        except (AttributeError, TypeError, KeyError):
            pieces = [dict(document)]
        yield from pieces


def _split(
    document: Mapping[str, Any], path: tuple[str, str, str], limit_bytes: int
) -> Iterator[dict[str, Any]]:
    """Yield the resource groups at ``path``, splitting those that are too large."""
    of_resource, of_scope, items = path
    for group in document.get(of_resource, ()):
        if _size(group) <= limit_bytes:
            yield group
            continue
        for scope in group[of_scope]:
            for part in _grouped_by_size(scope[items], limit_bytes):
                yield {**group, of_scope: [{**scope, items: part}]}


def _grouped_by_size(items: list[Any], limit_bytes: int) -> Iterator[list[Any]]:
    piece: list[Any] = []
    size = 0
    for item in items:
        item_size = _size(item)
        if piece and size + item_size > limit_bytes:
            yield piece
            piece, size = [], 0
        piece.append(item)
        size += item_size
    if piece:
        yield piece


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
