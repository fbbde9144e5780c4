"""The instances of one function: requests wait for a free one, and instances come and go.

- An instance receives up to `maxInstanceRequestConcurrency` requests at a time:
  https://docs.cloud.google.com/run/docs/about-concurrency
- When all are full another one is started, up to the maximum. Beyond that, requests wait for 3.5
  times the average start-up time or 10 seconds, whichever is more, and are refused with 429:
  https://docs.cloud.google.com/run/docs/about-instance-autoscaling
- A request that takes longer than the timeout, the start of an instance included, is answered with
  504: https://docs.cloud.google.com/run/docs/configuring/request-timeout
- An instance has four minutes to listen on its port, whatever the timeout of its requests is:
  https://docs.cloud.google.com/run/docs/configuring/healthchecks
- Instances without requests are kept for a while, at most 15 minutes, and then shut down:
  https://docs.cloud.google.com/run/docs/about-instance-autoscaling. Here the time is a setting, so
  that a rehearsal sees instances end.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cloud.deployment.deployed import Function
from cloud.runtime.instance import Instance, StartFailed, start
from cloud.runtime.source import Source

PENDING_SECONDS_MIN = 10.0
START_SECONDS = 240.0
STARTS_PER_PENDING = 3.5
POLL_SECONDS = 0.5


class NoInstance(Exception):
    """No instance became free in time."""


@dataclass
class Statistics:
    """What happened to a function's instances."""

    requests: int = 0
    invocations: int = 0
    starts: int = 0
    start_seconds: float = 0.0
    idle_ends: int = 0
    memory_ends: int = 0
    refused: int = 0
    timeouts: int = 0
    memory_bytes_max: int = 0
    failures: list[str] = field(default_factory=list)


class Service:
    """Runs one function's instances."""

    def __init__(
        self,
        function: Function,
        source: Source,
        added_environment: Mapping[str, str],
        logs: Path,
        idle_seconds: float,
    ) -> None:
        self.function = function
        self.statistics = Statistics()
        self._source = source
        self._added_environment = added_environment
        self._log = logs / f"{function.name}.log"
        self._idle_seconds = idle_seconds
        self._instances: list[Instance] = []
        self._starting = 0
        self._failed_starts = 0
        self._changed = asyncio.Condition()
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open_requests(self) -> int:
        """Return how many requests the instances process."""
        return sum(instance.open_requests for instance in self._instances)

    @asynccontextmanager
    async def instance(self) -> AsyncIterator[Instance]:
        """Yield an instance to send one request to, once one has room.

        Raises:
            NoInstance: none has room in time.
            StartFailed: none is running, and the one that was started for the request ended.
        """
        instance = await self._acquire()
        self.statistics.requests += 1
        try:
            yield instance
        finally:
            instance.end_request()
            async with self._changed:
                self._changed.notify_all()

    async def watch(self) -> None:
        """End instances that are idle for long or above the memory limit, until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for instance in list(self._instances):
                await self._inspect(instance)

    async def shut_down(self) -> None:
        """End all instances."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        instances, self._instances = self._instances, []
        await asyncio.gather(*(instance.shut_down("the end") for instance in instances))

    def environment(self) -> dict[str, str]:
        """Return the environment of an instance.

        https://docs.cloud.google.com/run/docs/container-contract#env-vars (K_…, PORT) and
        https://docs.cloud.google.com/functions/docs/configuring/env-var (FUNCTION_…); the deployed
        variables include FUNCTION_TARGET, LOG_EXECUTION_ID and GCLOUD_PROJECT, set by the CLI.
        """
        return {
            "PATH": f"{self._source.bin}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._source.folder),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **self.function.environment,
            "K_SERVICE": self.function.service,
            "K_REVISION": self.function.revision,
            "K_CONFIGURATION": self.function.service,
            **self._added_environment,
        }

    async def _acquire(self) -> Instance:
        began, failed_before = time.monotonic(), self._failed_starts
        async with self._changed:
            while True:
                for instance in self._instances:
                    if instance.is_running and (instance.open_requests < self.function.concurrency):
                        instance.begin_request()
                        return instance
                if self._failed_starts > failed_before and not self._instances:
                    raise StartFailed(self.statistics.failures[-1])
                running = len(self._instances) + self._starting
                if running < self.function.max_instances and not self._starting:
                    self._begin_start()
                patience = self._patience_seconds() - (time.monotonic() - began)
                if patience <= 0:
                    self.statistics.refused += 1
                    raise NoInstance("The request was aborted because there was no instance.")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(patience, 1.0)):
                        await self._changed.wait()

    def _patience_seconds(self) -> float:
        if len(self._instances) < self.function.max_instances:
            # An instance is being started, or can be.
            return float(self.function.timeout_seconds)
        average = self.statistics.start_seconds / max(1, self.statistics.starts)
        return max(PENDING_SECONDS_MIN, STARTS_PER_PENDING * average)

    def _begin_start(self) -> None:
        self._starting += 1
        task = asyncio.create_task(self._start())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self) -> None:
        began = time.monotonic()
        name = f"{self.function.name}-{next(self._numbers)}"
        try:
            instance = await start(
                name,
                # In a container it listens on every address; here nobody else may reach it.
                [str(self._source.bin / "functions-framework"), "--host", "127.0.0.1"],
                self.environment(),
                self._source.folder,
                self._log,
                START_SECONDS,
            )
        except (StartFailed, OSError) as failure:
            self._failed_starts += 1
            self.statistics.failures.append(str(failure))
        else:
            self.statistics.starts += 1
            self.statistics.start_seconds += time.monotonic() - began
            self._instances.append(instance)
        finally:
            async with self._changed:
                self._starting -= 1
                self._changed.notify_all()

    async def _inspect(self, instance: Instance) -> None:
        if not instance.is_running:
            self._instances.remove(instance)
            self.statistics.failures.append(f"{instance.name} ended by itself")
            return
        memory_bytes = await asyncio.to_thread(instance.memory_bytes)
        self.statistics.memory_bytes_max = max(self.statistics.memory_bytes_max, memory_bytes)
        if memory_bytes > self.function.memory_bytes:
            self._instances.remove(instance)
            self.statistics.memory_ends += 1
            self.statistics.failures.append(
                f"{instance.name}: memory limit of {self.function.memory_bytes >> 20} MiB exceeded "
                f"with {memory_bytes >> 20} MiB used"
            )
            await instance.kill("memory limit exceeded")
        elif (
            not instance.open_requests
            and time.monotonic() - instance.idle_since > self._idle_seconds
            and len(self._instances) > self.function.min_instances
        ):
            self._instances.remove(instance)
            self.statistics.idle_ends += 1
            await instance.shut_down("idle")
