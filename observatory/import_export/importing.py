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
UNKNOWN_FORMAT = (
    'It is neither OTLP/JSON ({"resourceSpans": […]}, {"resourceLogs": […]} or '
    '{"resourceMetrics": […]}) nor Jaeger\'s JSON ({"data": […]}).'
)


@dataclass(frozen=True)
class Imported:
    """The telemetry of a file as rows; ``repaired`` counts the strings that were repaired."""

    spans: Batch
    logs: Batch
    metrics: Batch
    repaired: int = 0

    @property
    def batches(self) -> tuple[Batch, Batch, Batch]:
        """Return the batches of all three signals."""
        return self.spans, self.logs, self.metrics

    @property
    def trace_ids(self) -> list[str]:
        """Return the ids of up to ``TRACE_IDS_LIMIT`` traces that the file has spans of."""
        ids = self.spans.rows.table.column("trace_id").to_pylist()
        return list(dict.fromkeys(ids))[:TRACE_IDS_LIMIT]


def imported(body: bytes) -> Imported:
    """Read the spans, logs and metrics of a file.

    Raises:
        BadFile: the file is neither OTLP/JSON (one document, or one per line) nor Jaeger's JSON,
            or an item in it cannot be read.
    """
    document, repaired = document_of(body)
    if not isinstance(document, dict) or not any(name in document for name in NAMES):
        raise BadFile(UNKNOWN_FORMAT)
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
    """Return the path of the first item that cannot be read; an empty string if there is none.

    protobuf's parser reports the field at which it stopped, but not the item.
    """
    for message, path in (
        (wire.ExportTraceServiceRequest, ("resourceSpans", "scopeSpans", "spans")),
        (wire.ExportLogsServiceRequest, ("resourceLogs", "scopeLogs", "logRecords")),
        (wire.ExportMetricsServiceRequest, ("resourceMetrics", "scopeMetrics", "metrics")),
    ):
        of_resource, of_scope, items = path
        for place in _items_of(Place(of_resource, document.get(of_resource, [])), of_scope, items):
            single_item = {of_resource: [{of_scope: [{items: [place.value]}]}]}
            try:
                wire.read(message, single_item, bytes)
            except Refusal:
                return f"{place.path}: "
    return ""


def _items_of(groups: Place, of_scope: str, items: str) -> Iterator[Place]:
    for group in groups.items():
        for scope in group.get(of_scope).items() if group.has(of_scope) else ():
            yield from scope.get(items).items() if scope.has(items) else ()


def _spans_of_jaeger(document: dict[str, Any]) -> Batch:
    try:
        return spans_of(request_of(document).SerializeToString())
    except (DecodeError, EncodeError, ValueError) as error:
        raise BadFile(f"It holds a value that OTLP cannot represent: {error}.") from error
