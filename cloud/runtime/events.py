"""Delivers CloudEvents to event functions, with retries, duplicates and reordering.

- Eventarc delivers at least once, in no order, as a POST to `/` in binary content mode:
  https://docs.cloud.google.com/eventarc/docs/cloudevents
- A function that asks for retries gets a failed event again for 24 hours, 10 to 600 seconds apart:
  https://firebase.google.com/docs/functions/retries. Here the gaps are those of cloud/delivery,
  for about three minutes.
- An event that was delivered too often, or without retries failed once, is dropped; it is counted,
  and listed by the runtime's status.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from cloud.delivery import chaos
from cloud.delivery.backoff import Backoff
from cloud.runtime.front_end import Answer, FrontEnd
from cloud.runtime.service import Service

# Three minutes, in place of production's 24 hours.
ATTEMPTS = 20
# A held back event is delivered after this time even if no later one comes.
HELD_BACK_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass
class Deliveries:
    """How many events and attempts there were, and which events were dropped."""

    events: int = 0
    attempts: int = 0
    failed_attempts: int = 0
    duplicates: int = 0
    reordered: int = 0
    in_progress: int = 0
    dropped: list[str] = field(default_factory=list)


class EventDelivery:
    """Delivers events to the functions behind a front end."""

    def __init__(self, front_end: FrontEnd, backoff: Backoff | None = None) -> None:
        self.chaos = chaos.Chaos()
        self.deliveries = Deliveries()
        self._front_end = front_end
        self._backoff = backoff or Backoff(ATTEMPTS)
        self._numbers: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, service: Service, headers: Mapping[str, str], body: bytes) -> None:
        """Deliver an event in the background, as often as chaos says."""
        name = service.function.name
        plan = chaos.decide(self.chaos, name, self._numbers[name])
        self._numbers[name] += 1
        self.deliveries.events += 1
        self.deliveries.duplicates += len(plan.delays_seconds) - 1
        self.deliveries.reordered += plan.held_back
        held_back = HELD_BACK_SECONDS if plan.held_back else 0.0
        for copy, delay_seconds in enumerate(plan.delays_seconds):
            fail = plan.fail if not copy else None
            delivery = self._deliver(service, headers, body, delay_seconds + held_back, fail)
            task = asyncio.create_task(delivery)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is not delivered yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(
        self,
        service: Service,
        headers: Mapping[str, str],
        body: bytes,
        delay_seconds: float,
        fail: chaos.Failure | None,
    ) -> None:
        self.deliveries.in_progress += 1
        try:
            await asyncio.sleep(delay_seconds)
            attempt = 1
            while True:
                is_delivered = await self._attempt(service, headers, body, fail)
                fail = None
                if is_delivered:
                    return
                gap_seconds = self._backoff.gap_seconds(attempt)
                if gap_seconds is None or not service.function.retries:
                    event = headers.get("ce-id", "")
                    self.deliveries.dropped.append(f"{service.function.name} {event}")
                    _log.warning("Dropped event %s of %s", event, service.function.name)
                    return
                await asyncio.sleep(gap_seconds)
                attempt += 1
        finally:
            self.deliveries.in_progress -= 1

    async def _attempt(
        self,
        service: Service,
        headers: Mapping[str, str],
        body: bytes,
        fail: chaos.Failure | None,
    ) -> bool:
        self.deliveries.attempts += 1
        is_success = False
        if fail != "before":
            trigger = service.function.trigger or {}
            account = trigger.get("serviceAccountEmail") or service.function.service_account
            answer = await self._front_end.call(service, account, headers, body, "/")
            # Failing "after" loses the acknowledgement: the work is done, the event comes again.
            is_success = answer.is_success and fail != "after"
            if not answer.is_success:
                _log.warning("%s", _describe(service, answer))
        self.deliveries.failed_attempts += not is_success
        return is_success


def _describe(service: Service, answer: Answer) -> str:
    text = answer.body[:200].decode(errors="replace")
    return f"{service.function.name} answered an event with {answer.status_code}: {text}"
