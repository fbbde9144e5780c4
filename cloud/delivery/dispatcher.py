"""Delivers events, retries failed ones, and publishes the rest to the dead-letter topic."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import httpx
from opentelemetry import trace

from cloud.delivery import telemetry
from cloud.delivery.backoff import Backoff
from cloud.delivery.chaos import Chaos, Plan, decide
from cloud.delivery.chaos_file import ChaosFile
from cloud.delivery.emulators import DEAD_LETTER_TOPIC, DeadLetters, Functions
from cloud.delivery.event import (
    ATTEMPT_HEADER,
    FAIL_HEADER,
    FIRST_ATTEMPT_HEADER,
    Attempt,
    Event,
)

# How long an event that is held back waits for another event to overtake it.
HELD_BACK_MAX_SECONDS = 2.0
DEAD_KEPT = 1000

_log = logging.getLogger(__name__)


class Dispatcher:
    """Holds the pending deliveries, and counts how the others ended.

    A dispatcher belongs to one event loop; pending deliveries are lost when the loop ends.
    """

    def __init__(
        self,
        functions: Functions,
        dead_letters: DeadLetters,
        tracer: trace.Tracer,
        backoff: Backoff,
        chaos_file: ChaosFile,
    ) -> None:
        self._functions = functions
        self._dead_letters = dead_letters
        self._tracer = tracer
        self._backoff = backoff
        self._chaos_file = chaos_file
        self.chaos = Chaos()
        self.dead: deque[dict[str, Any]] = deque(maxlen=DEAD_KEPT)
        self._counts: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._overtaken: dict[str, asyncio.Event] = {}

    def set_chaos(self, chaos: Chaos) -> None:
        """Inject these faults from now on; the events of each function count from 0 again."""
        self.chaos = chaos
        self._numbers.clear()
        self._chaos_file.turn(on=chaos.on)

    def take(self, event: Event, failed: Attempt | None) -> None:
        """Accept an event whose first attempt failed, or, with None, one not attempted yet."""
        self._counts["taken"] += 1
        if failed is not None:
            self._counts["attempts"] += 1
            self._counts["failed"] += 1
            self._begin(self._retry(event, failed))
            return
        self._counts["untried"] += 1
        number = self._numbers[event.function]
        self._numbers[event.function] += 1
        plan = decide(self.chaos, event.function, number)
        self._counts["duplicated"] += len(plan.delays_seconds) - 1
        self._counts["delayed"] += any(plan.delays_seconds)
        self._counts["held_back"] += plan.held_back
        self._counts["made_to_fail"] += plan.fail is not None
        for copy, delay in enumerate(plan.delays_seconds):
            plan_of_copy = plan if copy == 0 else Plan()
            self._begin(self._first(event, delay, plan_of_copy))

    def state(self) -> dict[str, Any]:
        """Return the number of pending deliveries, and of those that ended in each way.

        `pending` counts deliveries (a duplicate is one more) that are delayed, running or waiting
        for a retry; each ends as `delivered` or `dead`. `untried` counts the events that were
        accepted before any attempt.
        """
        names = ("delivered", "dead", "taken", "untried", "attempts", "failed")
        chaos = ("duplicated", "delayed", "held_back", "made_to_fail")
        counts = {name: self._counts[name] for name in (*names, *chaos)}
        return {"pending": len(self._tasks), **counts}

    async def end(self) -> None:
        """Drop the pending deliveries, and log their number."""
        self._chaos_file.turn(on=False)
        if self._tasks:
            _log.warning("%d pending deliveries are dropped", len(self._tasks))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("A delivery failed unexpectedly", exc_info=error)

    async def _first(self, event: Event, delay_seconds: float, plan: Plan) -> None:
        await asyncio.sleep(delay_seconds)
        if plan.held_back:
            overtaken = self._overtaken.setdefault(event.function, asyncio.Event())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(overtaken.wait(), HELD_BACK_MAX_SECONDS)
        attempt = await self._deliver(event, 1, None, {FAIL_HEADER: plan.fail} if plan.fail else {})
        if event.function in self._overtaken:
            self._overtaken.pop(event.function).set()
        if attempt.error is not None:
            await self._retry(event, attempt)

    async def _retry(self, event: Event, last: Attempt) -> None:
        """Retry after the `last` attempt failed, until one succeeds or the attempts are used up."""
        first: Attempt | None = None
        spanless: list[Attempt] = []
        while True:
            if last.span is None:
                spanless.append(last)
            else:
                # The earlier attempts had no span; this one shows which trace they belong to.
                for attempt in spanless:
                    telemetry.spanless(self._tracer, event, attempt, last)
                spanless, first = [], first or last
            if last.error is None:
                return
            gap = self._backoff.gap_seconds(last.number)
            if gap is None:
                break
            await asyncio.sleep(gap)
            last = await self._deliver(event, last.number + 1, first, {})
        await self._dead_letter(event, first, last)

    async def _deliver(
        self, event: Event, number: int, first: Attempt | None, headers: dict[str, str]
    ) -> Attempt:
        added = {ATTEMPT_HEADER: str(number), **headers}
        if first and first.span:
            added[FIRST_ATTEMPT_HEADER] = first.span
        began = time.time_ns()
        result = await self._functions.deliver(event, added)
        attempt = replace(
            result, number=number, began_unix_nano=began, ended_unix_nano=time.time_ns()
        )
        self._counts["attempts"] += 1
        self._counts["delivered" if attempt.error is None else "failed"] += 1
        return attempt

    async def _dead_letter(self, event: Event, first: Attempt | None, last: Attempt) -> None:
        """Publish an event to the dead-letter topic, and record that in its trace."""
        with trace.use_span(
            telemetry.gave_up(self._tracer, event, first, last),
            end_on_exit=True,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            letter = {
                "function": event.function,
                "attempts": str(last.number),
                "error": str(last.error),
                "content-type": event.headers.get("content-type", ""),
                "traceparent": telemetry.traceparent_of(span),
                "first-attempt": (first.span if first else None) or "",
                **{name: value for name, value in event.headers.items() if name.startswith("ce-")},
                # As Pub/Sub names it on messages that it forwards to a dead-letter topic.
                "CloudPubSubDeadLetterSourceDeliveryCount": str(last.number),
            }
            message_id = None
            try:
                message_id = await self._dead_letters.publish(event.body, letter)
                span.set_attribute("messaging.message.id", message_id)
            except httpx.HTTPError as error:
                _log.error(
                    "Publishing to the topic %s failed: %s; GET /dead still shows the event",
                    DEAD_LETTER_TOPIC,
                    error,
                )
                span.record_exception(error)
        _log.warning("%s gave up after %d attempts: %s", event.function, last.number, last.error)
        self.dead.append({"message_id": message_id, **letter})
        self._counts["dead"] += 1
