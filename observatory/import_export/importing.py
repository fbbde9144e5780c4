"""Convert a file's telemetry to rows, in the same way as received telemetry."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, EncodeError

from observatory.import_export.document import NAMES, document_of
from observatory.import_export.jaeger_json import request_of
from observatory.import_export.reading import BadFile, Place
from observatory.receive import wire
from observatory.receive.batch import Batch
from observatory.receive.logs import logs_of
from observatory.receive.metrics import metrics_of
from observatory.receive.spans import spans_of
from observatory.receive.wire import Refusal

TRACE_IDS_LIMIT = 20
KNOWN = (
    'It is neither OTLP/JSON, {"resourceSpans": […]}, {"resourceLogs": […]} or '
    '{"resourceMetrics": […]}, nor Jaeger\'s JSON, {"data": […]}.'
)


@dataclass(frozen=True)
class Imported:
    """The contents of a file, ready for the store; ``repaired`` counts its repaired strings."""

    spans: Batch
    logs: Batch
    metrics: Batch
    repaired: int = 0

    @property
    def batches(self) -> tuple[Batch, Batch, Batch]:
        """The batches of all signals."""
        return self.spans, self.logs, self.metrics

    @property
    def trace_ids(self) -> list[str]:
        """The ids of the first traces that the file has spans of."""
        ids = self.spans.rows.table.column("trace_id").to_pylist()
        return list(dict.fromkeys(ids))[:TRACE_IDS_LIMIT]


def imported(body: bytes) -> Imported:
    """Read the spans, logs and metrics of a file.

    Raises:
        BadFile: the file is neither OTLP/JSON (one document, or one per line) nor Jaeger's JSON,
            or something in it is wrong.
    """
    document, repaired = document_of(body)
    if not isinstance(document, dict) or not any(name in document for name in NAMES):
        raise BadFile(KNOWN)
    try:
        if "data" in document:
            return Imported(_spans_of_jaeger(document), logs_of(b""), metrics_of(b""), repaired)
        return Imported(
            wire.read(wire.ExportTraceServiceRequest, document, spans_of),
            wire.read(wire.ExportLogsServiceRequest, document, logs_of),
            wire.read(wire.ExportMetricsServiceRequest, document, metrics_of),
            repaired,
        )
    except Refusal as refusal:
        raise BadFile(_where(document) + str(refusal)) from refusal


def _where(document: dict[str, Any]) -> str:
    """Return the path of the first item that cannot be read; empty if each can.

    protobuf's parser names the field that it stopped at, but not the item.
    """
    for message, path in (
        (wire.ExportTraceServiceRequest, ("resourceSpans", "scopeSpans", "spans")),
        (wire.ExportLogsServiceRequest, ("resourceLogs", "scopeLogs", "logRecords")),
        (wire.ExportMetricsServiceRequest, ("resourceMetrics", "scopeMetrics", "metrics")),
    ):
        of_resource, of_scope, items = path
        for place in _all(Place(of_resource, document.get(of_resource, [])), of_scope, items):
            alone = {of_resource: [{of_scope: [{items: [place.value]}]}]}
            try:
                wire.read(message, alone, bytes)
            except Refusal:
                return f"{place.path}: "
    return ""


def _all(groups: Place, of_scope: str, items: str) -> Iterator[Place]:
    for group in groups.items():
        for scope in group.get(of_scope).items() if group.has(of_scope) else ():
            yield from scope.get(items).items() if scope.has(items) else ()


def _spans_of_jaeger(document: dict[str, Any]) -> Batch:
    try:
        return spans_of(request_of(document).SerializeToString())
    except (DecodeError, EncodeError, ValueError) as error:
        raise BadFile(f"It holds a value that OTLP cannot represent: {error}.") from error
