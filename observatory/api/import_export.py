"""``/api/export`` and ``/api/import``: telemetry as OTLP/JSON, and back; from Jaeger's JSON too."""

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
from observatory.api.routing import REFUSED, Reading, json_body_of, new_router, refusals
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
    """Which traces; everything when nothing is asked for."""

    trace: list[TraceId] = Field(
        default_factory=list, description="The trace of this id, instead of a selection"
    )


@router.get(
    "/api/export",
    response_model=OtlpJson,
    summary="Some traces, or everything, as OTLP/JSON",
    responses=refusals({400: REFUSED, 404: "None of a trace's spans is stored"}),
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
    summary="What was stored of an OTLP/JSON or a Jaeger JSON document",
    responses=refusals(
        {
            400: "`bad_file`: something in it is wrong; the message says what and where",
            413: "It is larger than 16 MiB: `./scripts/trace import` sends it in pieces",
            503: "The Observatory is behind with its writing: try again later",
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
        return _try_later("The Observatory is behind with its writing")
    except (duckdb.Error, ArrowException) as failed:
        return _try_later(f"The store failed: {failed}")
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
                f"The file is larger than {BODY_LIMIT_BYTES // 2**20} MiB: "
                "./scripts/trace import FILE sends it in pieces."
            )
        share.take(len(chunk))
        body += chunk
    return bytes(body)


def _unpack(body: bytes, content_encoding: str, share: Share) -> Imported:
    return imported(wire.inflate(body, content_encoding, BODY_LIMIT_BYTES, share.take))


def _result(found: Imported) -> ImportResult:
    reasons = [repairs(found.repaired), *(batch.reason for batch in found.batches)]
    return {
        "spans": found.spans.rows.table.num_rows,
        "logs": found.logs.rows.table.num_rows,
        "metrics": found.metrics.rows.table.num_rows,
        "rejected": sum(batch.rejected for batch in found.batches),
        "reason": " ".join(filter(None, reasons)),
        "trace_ids": found.trace_ids,
    }


def _try_later(why: str) -> Response:
    answer = error(503, "try_later", f"{why}: try again later.")
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer
