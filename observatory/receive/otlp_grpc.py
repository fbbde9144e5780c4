"""OTLP over gRPC: the ``Export`` methods of the trace, logs and metrics services.

An adapter: ``Receiver.admit`` decodes, admits and stores messages exactly as it does HTTP bodies.
What HTTP answers with 503 is UNAVAILABLE here, with the same delay as RetryInfo, and a message
above the limit is RESOURCE_EXHAUSTED, which clients do not retry
(https://opentelemetry.io/docs/specs/otlp/#failures).

Importing grpc takes 0.2 s and 15 MB, so import this module only where the server is started.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from observatory.receive import wire
from observatory.receive.budget import WAIT_LIMIT_SECONDS, Share
from observatory.receive.otlp import BODY_LIMIT_BYTES, SIGNALS, Receiver, Signal, try_later
from observatory.receive.wire import Encoding, Refusal

SERVICES: dict[str, ServiceDescriptor] = {
    "/v1/traces": trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"],
    "/v1/logs": logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"],
    "/v1/metrics": metrics_service_pb2.DESCRIPTOR.services_by_name["MetricsService"],
}
# How many messages are read at the same time. A message's size is known only once it has been
# read, so this bounds the memory that the budget does not see.
READERS = 4
READ_SECONDS = 10.0
# gRPC refuses a larger message before it reads it, with a text of its own. Messages between the two
# limits are refused by ``wire.inflate``, which says what to do.
MESSAGE_LIMIT_BYTES = 2 * BODY_LIMIT_BYTES
IDENTITY_AND_GZIP = 0b101
OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
    # By default gRPC decompresses messages without a limit. ``wire.inflate`` stops at one.
    ("grpc.per_message_decompression", 0),
    ("grpc.compression_enabled_algorithms_bitset", IDENTITY_AND_GZIP),
    # By default a second server could listen on the same port, and take half of the requests.
    ("grpc.so_reuseport", 0),
)
# No protobuf message begins like this: it would be a field of wire type 7, which does not exist.
GZIP_MAGIC = b"\x1f\x8b"

Handler = Callable[[AsyncIterator[bytes], "grpc.aio.ServicerContext[bytes, bytes]"], Awaitable[Any]]


class GrpcServer:
    """A gRPC server in front of a receiver. Create it in the event loop that it runs in."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._readers = asyncio.Semaphore(READERS)
        self._storing: set[asyncio.Task[bytes]] = set()
        self._server = grpc.aio.server(
            handlers=[
                grpc.method_handlers_generic_handler(
                    SERVICES[signal.path].full_name,
                    {"Export": grpc.stream_unary_rpc_method_handler(self._export(signal))},
                )
                for signal in SIGNALS
            ],
            options=OPTIONS,
        )

    async def start(self, address: str) -> None:
        """Listen on ``address``, such as ``127.0.0.1:4317``.

        Raises:
            OSError: the address is in use or not this machine's.
        """
        try:
            self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(str(error)) from error
        await self._server.start()

    async def stop(self, grace_seconds: float) -> None:
        """Refuse new requests, and wait for those in progress up to ``grace_seconds``."""
        await self._server.stop(grace_seconds)
        if self._storing:
            await asyncio.wait(self._storing, timeout=grace_seconds)

    def _export(self, signal: Signal) -> Handler:
        async def export(
            messages: AsyncIterator[bytes], context: "grpc.aio.ServicerContext[bytes, bytes]"
        ) -> bytes:
            # A client that gives up cancels its call. The message stays in memory until it is
            # stored, and must hold its share of the budget until then: hence the shield.
            storing = asyncio.create_task(self._store(signal, messages))
            self._storing.add(storing)
            storing.add_done_callback(self._stored)
            try:
                return await asyncio.shield(storing)
            except Refusal as refusal:
                context.set_trailing_metadata(_details(refusal))
                await context.abort(_status_code(refusal), str(refusal))
                raise  # abort has raised already; type checkers don't know

        return export

    def _stored(self, storing: asyncio.Task[bytes]) -> None:
        self._storing.discard(storing)
        if not storing.cancelled():
            storing.exception()  # after a cancelled call, nothing else retrieves it

    async def _store(self, signal: Signal, messages: AsyncIterator[bytes]) -> bytes:
        message = await self._message(messages)
        packed = "gzip" if message.startswith(GZIP_MAGIC) else ""

        async def read_body(share: Share) -> bytes:
            share.take(len(message))
            return message

        batch = await self._receiver.admit(signal, Encoding.PROTOBUF, packed, read_body)
        return wire.render(signal.response(batch), Encoding.PROTOBUF)

    async def _message(self, messages: AsyncIterator[bytes]) -> bytes:
        """Return the call's one message.

        The method is declared to receive a stream, which looks the same to clients: only so can the
        server decide when it reads the message.
        """
        try:
            async with asyncio.timeout(WAIT_LIMIT_SECONDS):
                await self._readers.acquire()
        except TimeoutError:
            raise try_later("Telemetry arrives faster than it can be read") from None
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await anext(messages)
        except (TimeoutError, StopAsyncIteration):
            raise Refusal(
                400,
                wire.Code.INVALID_ARGUMENT,
                f"The call's message did not arrive within {READ_SECONDS:g} s.",
            ) from None
        finally:
            self._readers.release()


def _status_code(refusal: Refusal) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == refusal.code)


def _details(refusal: Refusal) -> tuple[tuple[str, bytes], ...]:
    """Return the metadata that tells clients when to retry.

    The specification's is ``grpc-status-details-bin``; OpenTelemetry's exporter for Python reads
    only the other.
    """
    if refusal.retry_after_seconds is None:
        return ()
    retry = RetryInfo()
    retry.retry_delay.FromSeconds(refusal.retry_after_seconds)
    status = Status(code=refusal.code, message=str(refusal))
    status.details.add().Pack(retry)
    return (
        ("grpc-status-details-bin", cast("bytes", status.SerializeToString())),
        ("google.rpc.retryinfo-bin", cast("bytes", retry.SerializeToString())),
    )
