"""OTLP over HTTP: ``/v1/traces`` and ``/v1/logs``.

A 200 is sent only once the rows are committed to the file. What can't be read is answered with
OTLP's Status message in the request's own encoding; what can't be kept is counted in
``partial_success``.
"""

import asyncio
from collections.abc import Callable

import duckdb
from google.protobuf.message import Message
from pyarrow import ArrowException
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from observatory import records, wire
from observatory.budget import RETRY_AFTER_SECONDS, Budget, Overloaded, Share
from observatory.store import Kind, Store
from observatory.wire import Code, Encoding, Refusal

BODY_LIMIT_BYTES = 16 * 2**20


class Receiver:
    """The two OTLP endpoints, in front of one store."""

    def __init__(self, store: Store, budget: Budget) -> None:
        self._store = store
        self._budget = budget

    @property
    def routes(self) -> list[Route]:
        """The routes that accept telemetry."""
        return [
            Route("/v1/traces", self.traces, methods=["POST"]),
            Route("/v1/logs", self.logs, methods=["POST"]),
        ]

    async def traces(self, request: Request) -> Response:
        """Store the spans of an ``ExportTraceServiceRequest``."""
        return await self._receive(request, "spans", _read_spans, _answer_spans)

    async def logs(self, request: Request) -> Response:
        """Store the records of an ``ExportLogsServiceRequest``."""
        return await self._receive(request, "logs", _read_logs, _answer_logs)

    async def _receive(
        self,
        request: Request,
        kind: Kind,
        read: Callable[[bytes, Encoding], records.Batch],
        answer: Callable[[records.Batch], Message],
    ) -> Response:
        # Of a body whose type isn't known, the reader is likelier a person than a protobuf parser.
        encoding = Encoding.JSON
        try:
            encoding = wire.encoding_of(request.headers.get("content-type", ""))
            with self._budget.share() as share:
                body = await _body(request, share)
                batch = await run_in_threadpool(
                    _decode,
                    body,
                    request.headers.get("content-encoding", ""),
                    share,
                    lambda plain: read(plain, encoding),
                )
                if batch.table.num_rows:
                    await asyncio.wrap_future(self._store.add(kind, batch.table))
        except Refusal as refusal:
            return _refused(refusal, encoding)
        except Overloaded:
            return _refused(_try_later("The Observatory is behind with its writing"), encoding)
        except (duckdb.Error, ArrowException) as error:
            # Retryable: the usual cause is a full disk, and the sender may keep what we can't.
            return _refused(_try_later(f"The store failed: {error}"), encoding)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        return Response(wire.render(answer(batch), encoding), media_type=encoding)


def _try_later(why: str) -> Refusal:
    return Refusal(503, Code.UNAVAILABLE, f"{why}: send again later.", RETRY_AFTER_SECONDS)


def _refused(refusal: Refusal, encoding: Encoding) -> Response:
    headers = {}
    if refusal.retry_after_seconds is not None:
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    if refusal.http_status == 413:
        headers["Connection"] = "close"  # the rest of the body stays unread
    return Response(
        wire.render_status(refusal, encoding),
        status_code=refusal.http_status,
        media_type=encoding,
        headers=headers,
    )


async def _body(request: Request, share: Share) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > BODY_LIMIT_BYTES:
            raise wire.too_large(BODY_LIMIT_BYTES)
        share.take(len(chunk))
        body += chunk
    return bytes(body)


def _decode(
    body: bytes, content_encoding: str, share: Share, read: Callable[[bytes], records.Batch]
) -> records.Batch:
    plain = wire.inflate(body, content_encoding, BODY_LIMIT_BYTES)
    share.take(len(plain))
    return read(plain)


def _read_spans(plain: bytes, encoding: Encoding) -> records.Batch:
    return records.spans_of(wire.parse(wire.ExportTraceServiceRequest, plain, encoding))


def _read_logs(plain: bytes, encoding: Encoding) -> records.Batch:
    return records.logs_of(wire.parse(wire.ExportLogsServiceRequest, plain, encoding))


def _answer_spans(batch: records.Batch) -> Message:
    answer = wire.ExportTraceServiceResponse()
    if batch.rejected:
        answer.partial_success.rejected_spans = batch.rejected
        answer.partial_success.error_message = batch.reason
    return answer


def _answer_logs(batch: records.Batch) -> Message:
    answer = wire.ExportLogsServiceResponse()
    if batch.rejected:
        answer.partial_success.rejected_log_records = batch.rejected
        answer.partial_success.error_message = batch.reason
    return answer
