"""A large document as several that the API takes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

# Well below what one request may have, since what stands around the items isn't counted.
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
    """Documents of about ``limit_bytes`` that hold together what ``document`` does.

    One that is small, or isn't of the expected shape, is left whole: the API says what is wrong.
    """
    if _size(document) <= limit_bytes:
        yield document
    elif isinstance(document.get("data"), list):
        for traces in _filled(document["data"], limit_bytes):
            yield {"data": traces}
    else:
        try:
            pieces = [
                {path[0]: groups}
                for path in OTLP
                for groups in _filled(list(_split(document, path, limit_bytes)), limit_bytes)
            ]
        except (AttributeError, TypeError, KeyError):
            pieces = [dict(document)]
        yield from pieces


def _split(
    document: Mapping[str, Any], path: tuple[str, str, str], limit_bytes: int
) -> Iterator[dict[str, Any]]:
    """The groups of a resource, those that are too large as several of the same resource."""
    of_resource, of_scope, items = path
    for group in document.get(of_resource, ()):
        if _size(group) <= limit_bytes:
            yield group
            continue
        for scope in group[of_scope]:
            for some in _filled(scope[items], limit_bytes):
                yield {**group, of_scope: [{**scope, items: some}]}


def _filled(items: list[Any], limit_bytes: int) -> Iterator[list[Any]]:
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
