"""Convert the log records of a request to rows of the store."""

import time

import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from observatory.receive.attributes import attributes_of, json_of, plain
from observatory.receive.batch import Batch, nanoseconds, nested
from observatory.receive.ids import (
    NO_TRACE,
    SPAN_ID_BYTES,
    TRACE_ID_BYTES,
    hexadecimal,
    is_id,
    is_id_or_empty,
    trace_keys,
)
from observatory.receive.opaque_fields import LOGS_REQUESTS
from observatory.store.rows import LOGS, Rows

_EMPTY = pa.scalar(b"", pa.binary())
_NO_ID = pa.scalar(NO_TRACE, pa.binary())
_NO_KEY = pa.scalar(None, pa.uint64())
_UNSET = pa.scalar(0, pa.uint64())


def logs_of(*bodies: bytes) -> Batch:
    """Return one row for each record of some serialized ``ExportLogsServiceRequest``.

    A record with a malformed id becomes one without a trace, as logs.proto recommends.

    Raises:
        DecodeError: one of ``bodies`` is not such a request.
    """
    origins, records, scope_of_record = nested(
        LOGS_REQUESTS.of(bodies), "resource_logs", "scope_logs", "log_records"
    )
    field = {record.name: records.field(record.name) for record in records.type}
    well_formed = pc.and_(
        is_id_or_empty(field["trace_id"], TRACE_ID_BYTES),
        is_id_or_empty(field["span_id"], SPAN_ID_BYTES),
    )
    malformed = len(records) - (pc.sum(well_formed).as_py() or 0)
    if malformed:
        for name in ("trace_id", "span_id"):
            field[name] = pc.if_else(well_formed, field[name], _EMPTY)
    attributes = attributes_of(field["attributes"])
    columns = {
        "trace_key": _trace_keys(field["trace_id"]),
        "trace_id": hexadecimal(field["trace_id"], TRACE_ID_BYTES),
        "span_id": hexadecimal(field["span_id"], SPAN_ID_BYTES),
        "time_unix_nano": _times(field["time_unix_nano"], field["observed_time_unix_nano"]),
        "severity_number": field["severity_number"],
        "severity_text": field["severity_text"],
        "event_name": field["event_name"],
        "body": pa.array([_body(raw) for raw in field["body"].to_pylist()], pa.string()),
        "attributes": attributes.maps,
        "attribute_types": attributes.types,
        **origins.columns(scope_of_record),
    }
    rows = Rows("logs", pa.table(columns, schema=LOGS), origins.resources)
    return Batch(rows, 0, _warning(malformed))


def _warning(malformed: int) -> str:
    if not malformed:
        return ""
    records = "1 log record" if malformed == 1 else f"{malformed} log records"
    return f"{records} kept without a trace: a trace id is 16 bytes and a span id 8."


def _trace_keys(ids: pa.BinaryArray) -> pa.UInt64Array:
    valid = is_id(ids, TRACE_ID_BYTES)
    return pc.if_else(valid, trace_keys(pc.if_else(valid, ids, _NO_ID)), _NO_KEY)


def _times(times: pa.UInt64Array, observed: pa.UInt64Array) -> pa.Int64Array:
    now = pa.scalar(time.time_ns(), pa.uint64())
    known = pc.if_else(pc.equal(observed, _UNSET), now, observed)
    return nanoseconds(pc.if_else(pc.equal(times, _UNSET), known, times))


def _body(raw: bytes | None) -> str:
    body = plain(AnyValue.FromString(raw or b""))
    return body if isinstance(body, str) else json_of(body)
