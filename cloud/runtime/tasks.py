"""Cloud Tasks: runs each task when it is due, and again while it fails.

- A task is a POST with the headers that it was created with and those of Cloud Tasks:
  https://docs.cloud.google.com/tasks/docs/creating-http-target-tasks and
  https://docs.cloud.google.com/tasks/docs/creating-http-target-tasks#handler
- `retryConfig` and `rateLimits` are the deployed queue's:
  https://docs.cloud.google.com/tasks/docs/configuring-queues
"""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloud.runtime.front_end import FrontEnd

# https://docs.cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig
_DEFAULT_RETRIES = {"maxAttempts": 100, "minBackoff": "0.100s", "maxBackoff": "3600s"}

_log = logging.getLogger(__name__)


class BadTask(Exception):
    """A task can't be created; the message says why."""


class Queue:
    """One deployed queue."""

    def __init__(
        self, resource: Mapping[str, Any], front_end: FrontEnd, default_account: str
    ) -> None:
        self.name: str = resource["name"]
        self.created = 0
        self.waiting = 0
        self.dispatched = 0
        self.failed_attempts = 0
        self.given_up: list[str] = []
        self._retries = {**_DEFAULT_RETRIES, **(resource.get("retryConfig") or {})}
        limits = resource.get("rateLimits") or {}
        self._free = asyncio.Semaphore(int(limits.get("maxConcurrentDispatches") or 1000))
        self._front_end = front_end
        self._default_account = default_account
        self._tasks: set[asyncio.Task[None]] = set()

    def create(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Schedule a task, and return it with its name.

        Raises:
            BadTask: it has no HTTP request to a deployed function, or an unusable time.
        """
        request = task.get("httpRequest")
        if not isinstance(request, dict) or not request.get("url"):
            raise BadTask("The task must have an HTTP request with a URL.")
        if self._front_end.find_url(request["url"]) is None:
            raise BadTask(f"{request['url']} is not the address of a deployed function.")
        try:
            # The Admin SDK sends null for what is not set.
            scheduled = task.get("scheduleTime")
            due = datetime.fromisoformat(scheduled) if scheduled else None
            base64.b64decode(request.get("body") or "", validate=True)
        except (TypeError, ValueError) as error:
            raise BadTask(f"The task is invalid: {error}") from error
        name = task.get("name") or f"{self.name}/tasks/{secrets.randbits(63)}"
        delay_seconds = max(0.0, due.timestamp() - time.time()) if due else 0.0
        running = asyncio.create_task(self._run(name, request, delay_seconds))
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)
        self.created += 1
        return {**task, "name": name, "dispatchCount": 0}

    async def close(self) -> None:
        """Give up the tasks that have not run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, name: str, request: Mapping[str, Any], delay_seconds: float) -> None:
        self.waiting += 1
        try:
            await asyncio.sleep(delay_seconds)
        finally:
            self.waiting -= 1
        attempts = int(self._retries["maxAttempts"])
        for attempt in range(attempts) if attempts > 0 else iter(int, 1):
            async with self._free:
                if await self._attempt(name, request, attempt):
                    return
            self.failed_attempts += 1
            await asyncio.sleep(self._gap_seconds(attempt))
        self.given_up.append(name)

    async def _attempt(self, name: str, request: Mapping[str, Any], attempt: int) -> bool:
        target = self._front_end.find_url(request["url"])
        if target is None:
            return False
        service, path = target
        headers = {
            **{key.lower(): value for key, value in (request.get("headers") or {}).items()},
            "user-agent": "Google-Cloud-Tasks",
            "x-cloudtasks-queuename": self.name.rpartition("/")[2],
            "x-cloudtasks-taskname": name.rpartition("/")[2],
            "x-cloudtasks-taskretrycount": str(attempt),
            "x-cloudtasks-taskexecutioncount": str(attempt),
            "x-cloudtasks-tasketa": f"{time.time():.6f}",
        }
        token = request.get("oidcToken") or {}
        account = token.get("serviceAccountEmail") or self._default_account
        body = base64.b64decode(request.get("body") or "")
        self.dispatched += 1
        answer = await self._front_end.call(service, account, headers, body, path)
        if not answer.is_success:
            _log.warning("Task %s was answered with %s", name, answer.status_code)
        return answer.is_success

    def _gap_seconds(self, attempt: int) -> float:
        first, most = (
            float(str(self._retries[key]).removesuffix("s")) for key in ("minBackoff", "maxBackoff")
        )
        return float(min(first * 2.0 ** min(attempt, 32), most))
