"""Spans go out over OTLP/HTTP, and wait in a bounded queue while nobody takes them."""

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
# Short, so that a decision can be looked at while its order still moves.
DELAY_SECONDS = 0.2
TIMEOUT_SECONDS = 5.0
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0)
# OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
RETRYABLE = frozenset({429, 502, 503, 504})

log = logging.getLogger(__name__)


class Delivery:
    """A queue of spans on their way to ``otlp`` (the base URL, without ``/v1/traces``).

    When it is full the oldest are dropped; when the receiver refuses spans for good, those are.
    ``dropped`` counts both.
    """

    def __init__(self, otlp: str, *, queue_spans: int = QUEUE_SPANS) -> None:
        self.dropped = 0
        self._url = otlp.rstrip("/") + "/v1/traces"
        self._queue: deque[Span] = deque()
        self._queue_spans = queue_spans
        self._on_their_way = 0
        self._waiting = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many spans nobody has taken yet, those that are on their way included."""
        return len(self._queue) + self._on_their_way

    def put(self, span: Span) -> None:
        """Queue a span; returns at once."""
        if len(self._queue) >= self._queue_spans:
            self._queue.popleft()
            self._drop(1, f"more than {self._queue_spans} wait for {self._url}")
        self._queue.append(span)
        self._waiting.set()

    async def run(self) -> None:
        """Deliver, for ever."""
        async with self._client() as client:
            attempt = 0
            while True:
                await self._waiting.wait()
                # Others often follow at once. After a failure, longer and longer.
                await asyncio.sleep(
                    BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS)) - 1]
                    if attempt
                    else DELAY_SECONDS
                )
                attempt = 0 if await self._deliver(client) else attempt + 1

    async def flush(self) -> None:
        """Try once to deliver what waits; what then still does is dropped."""
        async with self._client() as client:
            while self._queue and await self._deliver(client):
                pass
        if self._queue:
            self._drop(len(self._queue), f"{self._url} took none of them before the end")
            self._queue.clear()

    async def _deliver(self, client: httpx.AsyncClient) -> bool:
        """Send one batch; False when it has to be sent again."""
        batch = [self._queue.popleft() for _ in range(min(BATCH_SPANS, len(self._queue)))]
        if not self._queue:
            self._waiting.clear()
        if not batch:
            return True
        self._on_their_way = len(batch)
        refused = ""
        try:
            answer = await client.post(self._url, content=_body(batch))
            again = answer.status_code in RETRYABLE
            if answer.is_success:
                self._count_rejected(answer.content)
            else:
                refused = f"{self._url} answered {answer.status_code}"
        except asyncio.CancelledError:
            self._put_back(batch, "the end")
            raise
        except httpx.HTTPError as error:
            again, refused = True, str(error) or type(error).__name__
        if again:
            self._put_back(batch, refused)
        elif refused:
            self._drop(len(batch), refused)
        self._on_their_way = 0
        return not again

    def _put_back(self, batch: list[Span], why: str) -> None:
        self._on_their_way = 0
        room = self._queue_spans - len(self._queue)
        if len(batch) > room:
            self._drop(len(batch) - room, f"more than {self._queue_spans} wait ({why})")
        self._queue.extendleft(reversed(batch[max(0, len(batch) - room) :]))
        self._waiting.set()

    def _count_rejected(self, body: bytes) -> None:
        answer = ExportTraceServiceResponse()
        try:
            answer.ParseFromString(body)
        except Exception:  # noqa: BLE001  # protobuf's own errors have no common base
            return
        if rejected := answer.partial_success.rejected_spans:
            self._drop(rejected, answer.partial_success.error_message)

    def _drop(self, spans: int, why: str) -> None:
        if not self.dropped:
            log.warning("spans are dropped, and counted from here on: %s", why)
        self.dropped += spans

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=TIMEOUT_SECONDS,
            trust_env=False,  # a proxy must not come between this machine and itself
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
