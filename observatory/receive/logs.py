"""The log records of a request as rows of the store."""

import time

import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from observatory.receive.attributes import attributes_of, json_of, plain
from observatory.receive.batch import Batch, kept, nanoseconds, nested, rejection
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

_NO_ID = pa.scalar(NO_TRACE, pa.binary())
_NO_KEY = pa.scalar(None, pa.uint64())
_UNSET = pa.scalar(0, pa.uint64())


def logs_of(*bodies: bytes) -> Batch:
    """One row for each record of some ``ExportLogsServiceRequest``; ids may be absent, but not
    malformed.

    Raises:
        DecodeError: one of ``bodies`` is none.
    """
    origins, records, scope_of_record = nested(
        LOGS_REQUESTS.of(bodies), "resource_logs", "scope_logs", "log_records"
    )
    fair = pc.and_(
        is_id_or_empty(records.field("trace_id"), TRACE_ID_BYTES),
        is_id_or_empty(records.field("span_id"), SPAN_ID_BYTES),
    )
    field, scope_of_record, rejected = kept(records, scope_of_record, fair)
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
    return Batch(rows, rejected, rejection(rejected, "log record"))


def _trace_keys(ids: pa.BinaryArray) -> pa.UInt64Array:
    there = is_id(ids, TRACE_ID_BYTES)
    return pc.if_else(there, trace_keys(pc.if_else(there, ids, _NO_ID)), _NO_KEY)


def _times(said: pa.UInt64Array, observed: pa.UInt64Array) -> pa.Int64Array:
    now = pa.scalar(time.time_ns(), pa.uint64())
    known = pc.if_else(pc.equal(observed, _UNSET), now, observed)
    return nanoseconds(pc.if_else(pc.equal(said, _UNSET), known, said))


def _body(raw: bytes | None) -> str:
    body = plain(AnyValue.FromString(raw or b""))
    return body if isinstance(body, str) else json_of(body)
