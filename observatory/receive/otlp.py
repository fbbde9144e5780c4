"""OTLP over HTTP: ``/v1/traces``, ``/v1/logs`` and ``/v1/metrics``.

A 200 is sent only once the request is in the journal or its rows are in the file. A body that
cannot be read is answered with OTLP's Status message in the request's own encoding; items that
cannot be stored are counted in ``partial_success``. ``Receiver.admit`` is the part that does not
depend on HTTP; OTLP over gRPC (``otlp_grpc``) uses it too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from google.protobuf.message import DecodeError, Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from observatory.receive import wire
from observatory.receive.batch import Batch
from observatory.receive.budget import RETRY_AFTER_SECONDS, Budget, Overloaded, Share
from observatory.receive.folding import Folding
from observatory.receive.intake import Intake, NotStored, Read
from observatory.receive.logs import logs_of
from observatory.receive.metrics import metrics_of
from observatory.receive.spans import spans_of
from observatory.receive.wire import Code, Encoding, Refusal
from observatory.store import Store

BODY_LIMIT_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Signal:
    """One kind of telemetry: its path, request type, reader and response."""

    path: str
    request: type[Message]
    read: Read
    response: Callable[[Batch], Message]


class Receiver:
    """The three OTLP endpoints, in front of one store.

    Args:
        store: an open store; close the receiver before it.
        budget: limits the memory of requests that are not stored yet.
    """

    def __init__(self, store: Store, budget: Budget) -> None:
        self._intake = Intake(store)
        self._budget = budget

    @property
    def routes(self) -> list[Route]:
        """The routes that accept telemetry."""
        return [Route(signal.path, self._endpoint(signal), methods=["POST"]) for signal in SIGNALS]

    @property
    def folding(self) -> Folding:
        """The requests that are acknowledged and not in the file yet."""
        return self._intake.folding

    def close(self) -> None:
        """Store the telemetry received so far, and stop. May be called twice."""
        self._intake.close()

    def _endpoint(self, signal: Signal) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            return await self._receive(signal, request)

        return endpoint

    async def _receive(self, signal: Signal, request: Request) -> Response:
        # Without a known content type, the reader is more likely a person than a protobuf parser.
        encoding = Encoding.JSON
        try:
            encoding = wire.encoding_of(request.headers.get("content-type", ""))
            packed = request.headers.get("content-encoding", "")
            batch = await self.admit(signal, encoding, packed, partial(_body, request))
        except Refusal as refusal:
            return _refused(refusal, encoding)
        except ClientDisconnect:
            return Response(status_code=400)  # the client is gone
        return Response(wire.render(signal.response(batch), encoding), media_type=encoding)

    async def admit(
        self,
        signal: Signal,
        encoding: Encoding,
        packed: str,
        read_body: Callable[[Share], Awaitable[bytes]],
    ) -> Batch:
        """Read, decode and store a request; return its batch once the request is safe.

        Args:
            signal: the kind of telemetry.
            encoding: how the body is encoded.
            packed: how the body is compressed: ``gzip``, or an empty string.
            read_body: returns the body, and takes its size from the share of the budget.

        Raises:
            Refusal: the body cannot be decoded, or cannot be stored now.
        """
        try:
            with self._budget.share() as share, wire.refusing(signal.request, encoding):
                body = await read_body(share)
                unpack = partial(_unpack, signal, body, packed, encoding, share)
                if packed or encoding is Encoding.JSON:
                    decoded = await self._budget.one_at_a_time(unpack)
                else:
                    decoded = unpack()  # returns the body as it is
                try:
                    batch = await asyncio.wrap_future(self._intake.add(signal.read, decoded.body))
                except DecodeError:
                    repair = partial(wire.repaired, signal.request, decoded.body)
                    decoded = await self._budget.one_at_a_time(repair)
                    batch = await asyncio.wrap_future(self._intake.add(signal.read, decoded.body))
                return batch.with_rejected(decoded.rejected, decoded.reason)
        except Overloaded:
            raise try_later("Telemetry arrives faster than it can be stored") from None
        except NotStored as error:
            # Retryable: the usual cause is a full disk, and the sender may be able to buffer.
            raise try_later(f"The store failed: {error}") from error


def try_later(reason: str) -> Refusal:
    """Return the refusal of a request that may succeed when it is sent again."""
    return Refusal(503, Code.UNAVAILABLE, f"{reason}: retry later.", RETRY_AFTER_SECONDS)


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


def _unpack(
    signal: Signal, body: bytes, content_encoding: str, encoding: Encoding, share: Share
) -> wire.Decoded:
    plain = wire.inflate(body, content_encoding, BODY_LIMIT_BYTES, share.take)
    return wire.decode(signal.request, plain, encoding)


def _spans_response(batch: Batch) -> Message:
    response = wire.ExportTraceServiceResponse()
    if batch.reason:
        response.partial_success.rejected_spans = batch.rejected
        response.partial_success.error_message = batch.reason
    return response


def _logs_response(batch: Batch) -> Message:
    response = wire.ExportLogsServiceResponse()
    if batch.reason:
        response.partial_success.rejected_log_records = batch.rejected
        response.partial_success.error_message = batch.reason
    return response


def _metrics_response(batch: Batch) -> Message:
    response = wire.ExportMetricsServiceResponse()
    if batch.reason:
        response.partial_success.rejected_data_points = batch.rejected
        response.partial_success.error_message = batch.reason
    return response


SIGNALS = (
    Signal("/v1/traces", wire.ExportTraceServiceRequest, spans_of, _spans_response),
    Signal("/v1/logs", wire.ExportLogsServiceRequest, logs_of, _logs_response),
    Signal("/v1/metrics", wire.ExportMetricsServiceRequest, metrics_of, _metrics_response),
)
