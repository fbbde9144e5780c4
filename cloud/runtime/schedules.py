"""Cloud Scheduler: fires each job when its schedule says, and on request.

https://docs.cloud.google.com/scheduler/docs/configuring/cron-job-schedules (the schedules) and
https://docs.cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs (targets).
Of the schedules only `every N minutes` and `every N hours` are simulated.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloud.deployment.deployed import BadDeployment
from cloud.runtime.front_end import Answer, FrontEnd

_UNITS = {"minute": 60.0, "minutes": 60.0, "mins": 60.0, "hour": 3600.0, "hours": 3600.0}

_log = logging.getLogger(__name__)


class Job:
    """One deployed job."""

    def __init__(self, resource: Mapping[str, Any], front_end: FrontEnd) -> None:
        self.name: str = resource["name"]
        self.interval_seconds = interval_seconds(str(resource["schedule"]))
        self.fired = 0
        self._target: Mapping[str, Any] = resource["httpTarget"]
        self._front_end = front_end

    async def run(self) -> None:
        """Fire the job each time its schedule says, until cancelled."""
        while True:
            await asyncio.sleep(self.interval_seconds)
            answer = await self.fire()
            if not answer.is_success:
                _log.warning("Job %s was answered with %s", self.name, answer.status_code)

    async def fire(self) -> Answer:
        """Call the job's target now."""
        target = self._front_end.find_url(self._target["uri"])
        if target is None:
            raise BadDeployment(f"{self.name} calls {self._target['uri']}, which is not deployed.")
        service, path = target
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        headers = {
            "user-agent": "Google-Cloud-Scheduler",
            "x-cloudscheduler": "true",
            "x-cloudscheduler-jobname": self.name.rpartition("/")[2],
            "x-cloudscheduler-scheduletime": now,
        }
        self.fired += 1
        account = self._target["oidcToken"]["serviceAccountEmail"]
        return await self._front_end.call(service, account, headers, b"", path)


def interval_seconds(schedule: str) -> float:
    """Return the seconds between two runs of a schedule.

    Raises:
        BadDeployment: the schedule is of a kind that is not simulated.
    """
    match = re.fullmatch(r"every (\d+) (\w+)", schedule.strip().lower())
    if not match or match[2] not in _UNITS or not int(match[1]):
        raise BadDeployment(
            f"The schedule {schedule!r} is not simulated, only `every N minutes` or `hours`."
        )
    return int(match[1]) * _UNITS[match[2]]
