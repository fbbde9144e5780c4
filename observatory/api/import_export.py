"""``/api/export`` writes OTLP/JSON; ``/api/import`` reads OTLP/JSON and Jaeger's JSON."""

import asyncio
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated

import duckdb
from fastapi import Query
from pyarrow import ArrowException
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from observatory.api.context import Context
from observatory.api.parameters import SelectionQuery, TraceId
from observatory.api.responses import (
    NO_STORE,
    TooLarge,
    error,
    json_type_required,
    trace_not_found,
)
from observatory.api.routing import (
    INVALID_PARAMETER,
    Reading,
    error_responses,
    json_body_of,
    new_router,
)
from observatory.import_export.exporting import export
from observatory.import_export.importing import Imported, imported
from observatory.import_export.reading import BadFile
from observatory.journey.reading import trace_key
from observatory.receive import wire
from observatory.receive.budget import RETRY_AFTER_SECONDS, Overloaded, Share
from observatory.receive.otlp import BODY_LIMIT_BYTES
from observatory.receive.surrogates import repairs
from observatory.receive.wire import Refusal
from observatory.schemas.import_export import ImportResult, JaegerJson, OtlpJson

router = new_router()


class ExportQuery(SelectionQuery):
    """The traces to export; without parameters, all telemetry."""

    trace: list[TraceId] = Field(
        default_factory=list,
        description="A trace id; it replaces the selection, and may be repeated",
    )


@router.get(
    "/api/export",
    response_model=OtlpJson,
    summary="Export some traces, or all telemetry, as OTLP/JSON",
    responses=error_responses({400: INVALID_PARAMETER, 404: "A trace has no stored spans"}),
)
def export_traces(context: Reading, query: Annotated[ExportQuery, Query()]) -> Response:
    ids = query.trace
    selection = query.selection()
    with context.digests.reader() as reader:
        for trace_id in ids:
            if not _is_stored(reader, trace_id):
                return trace_not_found(trace_id)
        keys: Sequence[int]
        if ids:
            keys = sorted({trace_key(trace_id) for trace_id in ids})
        else:
            condition = selection.condition(reader)
            matching = reader.execute(
                "select distinct t.trace_key from trace_digests as t "  # noqa: S608
                f"where {condition.sql}",
                condition.values,
            )
            keys = array("Q", (key for (key,) in matching.fetchall()))
    name = f"trace-{ids[0][:8]}" if len(ids) == 1 else "traces"
    return StreamingResponse(
        _pieces(context, keys, everything=not query.model_fields_set),
        media_type="application/json",
        headers=NO_STORE | {"Content-Disposition": f'attachment; filename="{name}.json"'},
    )


@router.post(
    "/api/import",
    response_model=ImportResult,
    summary="Import an OTLP/JSON or Jaeger JSON document",
    responses=error_responses(
        {
            400: "`bad_file`: the document is invalid; the message says what and where",
            413: "The body is larger than 16 MiB: use `./scripts/trace import`, which splits it",
            503: "`try_later`: received telemetry has filled the memory limit, or storing failed",
        }
    ),
    openapi_extra=json_body_of(OtlpJson, JaegerJson),
)
async def import_traces(context: Reading, request: Request) -> Response:
    json_type_required(request)
    try:
        with context.budget.share() as share:
            body = await _body(request, share)
            unpack = partial(_unpack, body, request.headers.get("content-encoding", ""), share)
            document = await context.budget.one_at_a_time(unpack)
            for batch in document.batches:
                if batch.rows.table.num_rows:
                    await asyncio.wrap_future(context.store.add(batch.rows))
    except BadFile as bad:
        return error(400, "bad_file", str(bad))
    except Refusal as refusal:  # of its Content-Encoding
        return error(refusal.http_status, "bad_file", str(refusal))
    except Overloaded:
        return _try_later("Received telemetry that is not written yet has filled the memory limit")
    except (duckdb.Error, ArrowException) as failure:
        return _try_later(f"The store failed: {failure}")
    return JSONResponse(_result(document), headers=NO_STORE)


def _is_stored(reader: duckdb.DuckDBPyConnection, trace_id: str) -> bool:
    rows = reader.execute(
        "select true from raw_spans where trace_key = ? and trace_id = ? limit 1",
        [trace_key(trace_id), trace_id],
    )
    return rows.fetchone() is not None


def _pieces(context: Context, keys: Sequence[int], everything: bool) -> Iterator[bytes]:
    with context.store.reader() as reader:
        yield from export(reader, keys, everything=everything)


async def _body(request: Request, share: Share) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > BODY_LIMIT_BYTES:
            raise TooLarge(
                f"The body is larger than {BODY_LIMIT_BYTES // 2**20} MiB: "
                "use ./scripts/trace import FILE, which splits it."
            )
        share.take(len(chunk))
        body += chunk
    return bytes(body)


def _unpack(body: bytes, content_encoding: str, share: Share) -> Imported:
    return imported(wire.inflate(body, content_encoding, BODY_LIMIT_BYTES, share.take))


def _result(document: Imported) -> ImportResult:
    reasons = [repairs(document.repaired), *(batch.reason for batch in document.batches)]
    return {
        "spans": document.spans.rows.table.num_rows,
        "logs": document.logs.rows.table.num_rows,
        "metrics": document.metrics.rows.table.num_rows,
        "rejected": sum(batch.rejected for batch in document.batches),
        "reason": " ".join(filter(None, reasons)),
        "trace_ids": document.trace_ids,
    }


def _try_later(reason: str) -> Response:
    response = error(503, "try_later", f"{reason}. Try again later.")
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
