"""Send spans over OTLP/HTTP; buffer them in a bounded queue while the receiver is unavailable."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observatory import VERSION

SERVICE = "firestore.rules"
SCOPE = "observatory.rules_monitor"
QUEUE_SPANS = 10_000
BATCH_SPANS = 500
# Short, so that a decision is visible while its order is still being processed.
DELAY_SECONDS = 0.2
TIMEOUT_SECONDS = 5.0
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0)
# OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
RETRYABLE = frozenset({429, 502, 503, 504})

log = logging.getLogger(__name__)


class Exporter:
    """Exports queued spans to ``otlp`` (the base URL, without ``/v1/traces``).

    A full queue drops its oldest spans; spans that the receiver rejects permanently are dropped
    too. ``dropped`` counts both.
    """

    def __init__(self, otlp: str, *, queue_spans: int = QUEUE_SPANS) -> None:
        self.dropped = 0
        self._url = otlp.rstrip("/") + "/v1/traces"
        self._queue: deque[Span] = deque()
        self._queue_spans = queue_spans
        self._in_flight = 0
        self._has_spans = asyncio.Event()

    @property
    def pending(self) -> int:
        """Return the number of spans not exported yet, including those being sent."""
        return len(self._queue) + self._in_flight

    def put(self, span: Span) -> None:
        """Queue a span and return at once."""
        if len(self._queue) >= self._queue_spans:
            self._queue.popleft()
            self._drop(1, f"the queue for {self._url} is full ({self._queue_spans} spans)")
        self._queue.append(span)
        self._has_spans.set()

    async def run(self) -> None:
        """Export spans until cancelled."""
        async with self._client() as client:
            attempt = 0
            while True:
                await self._has_spans.wait()
                # Waits for further spans to share a batch; after failures, backs off.
                await asyncio.sleep(
                    BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS)) - 1]
                    if attempt
                    else DELAY_SECONDS
                )
                attempt = 0 if await self._export(client) else attempt + 1

    async def flush(self) -> None:
        """Try once to export the queued spans, and drop those that remain."""
        async with self._client() as client:
            while self._queue and await self._export(client):
                pass
        if self._queue:
            self._drop(len(self._queue), f"{self._url} did not accept them before the shutdown")
            self._queue.clear()

    async def _export(self, client: httpx.AsyncClient) -> bool:
        """Send one batch; return False if it has to be sent again."""
        batch = [self._queue.popleft() for _ in range(min(BATCH_SPANS, len(self._queue)))]
        if not self._queue:
            self._has_spans.clear()
        if not batch:
            return True
        self._in_flight = len(batch)
        failure = ""
        try:
            response = await client.post(self._url, content=_body(batch))
            retry = response.status_code in RETRYABLE
            if response.is_success:
                self._count_rejected(response.content)
            else:
                failure = f"{self._url} responded with status {response.status_code}"
        except asyncio.CancelledError:
            self._put_back(batch, "the monitor is shutting down")
            raise
        except httpx.HTTPError as error:
            retry, failure = True, str(error) or type(error).__name__
        if retry:
            self._put_back(batch, failure)
        elif failure:
            self._drop(len(batch), failure)
        self._in_flight = 0
        return not retry

    def _put_back(self, batch: list[Span], reason: str) -> None:
        self._in_flight = 0
        room = self._queue_spans - len(self._queue)
        if len(batch) > room:
            self._drop(
                len(batch) - room, f"the queue is full ({self._queue_spans} spans) and {reason}"
            )
        self._queue.extendleft(reversed(batch[max(0, len(batch) - room) :]))
        self._has_spans.set()

    def _count_rejected(self, body: bytes) -> None:
        response = ExportTraceServiceResponse()
        try:
            response.ParseFromString(body)
        except Exception:  # noqa: BLE001  # protobuf's errors have no common base class
            return
        if rejected := response.partial_success.rejected_spans:
            self._drop(rejected, response.partial_success.error_message)

    def _drop(self, spans: int, reason: str) -> None:
        if not self.dropped:
            log.warning("dropping spans: %s; the total is logged at exit", reason)
        self.dropped += spans

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=TIMEOUT_SECONDS,
            trust_env=False,  # the receiver is on this machine: never through a proxy
            headers={"Content-Type": "application/x-protobuf"},
        )


def _body(spans: list[Span]) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(
        KeyValue(key="service.name", value=AnyValue(string_value=SERVICE))
    )
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = SCOPE, VERSION
    scope.spans.extend(spans)
    return bytes(request.SerializeToString())
